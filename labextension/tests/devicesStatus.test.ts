import { expect, it, vi } from 'vitest';
import { Signal } from '@lumino/signaling';
import type { DeviceState } from '../src/devices';
import type { DeviceModel } from '../src/devicesModel';
import { DeviceStatus } from '../src/devicesStatus';

function fakeModel(state: DeviceState | null) {
  const model = { state, changed: undefined as unknown as Signal<unknown, void> };
  model.changed = new Signal<unknown, void>(model);
  return model;
}

it('names the selected device and follows its model', () => {
  const model = fakeModel(null);
  const open = vi.fn();
  const status = new DeviceStatus(model as unknown as DeviceModel, open);
  const button = status.anchor as HTMLButtonElement;
  expect(button.textContent).toBe('');

  model.state = {
    selected: 'gpu:0',
    devices: [{ name: 'gpu:0', kind: '<b>H200</b>', platform: 'gpu' }]
  };
  model.changed.emit();
  expect(button.textContent).toBe('gpu:0');
  expect(button.title).toContain('gpu:0 (<b>H200</b>)');
  expect(button.getAttribute('aria-label')).toContain('gpu:0');
  expect(button.querySelector('b')).toBeNull();

  button.click();
  expect(open).toHaveBeenCalledWith(button);
  status.setExpanded(true);
  expect(button.getAttribute('aria-expanded')).toBe('true');

  status.dispose();
  model.changed.emit();
});
