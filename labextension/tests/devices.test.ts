import { describe, expect, it } from 'vitest';
import type { KernelMessage } from '@jupyterlab/services';
import { deviceLabel, readReply, readState, sameState, selectExpression, stateExpression } from '../src/devices';

const state = {
  selected: 'gpu:0',
  devices: [
    { name: 'cpu:0', kind: 'cpu', platform: 'cpu' },
    { name: 'gpu:0', kind: 'NVIDIA H200', platform: 'gpu' }
  ]
};

type Reply = KernelMessage.IExecuteReplyMsg['content'];

const reply = (value: unknown): Reply =>
  ({ status: 'ok', execution_count: 1, payload: [], user_expressions: { jaxlab_devices: value } }) as unknown as Reply;

describe('the answer of a kernel', () => {
  it('is its state', () => {
    expect(readReply(reply({ status: 'ok', data: { 'application/json': state } }))).toEqual({ status: 'ok', state });
  });

  it('says that jaxlab is not used where the expression is None', () => {
    expect(readReply(reply({ status: 'ok', data: { 'text/plain': 'None' } }))).toEqual({ status: 'unused' });
    expect(readReply(reply(undefined))).toEqual({ status: 'unused' });
  });

  it('carries what the kernel said of a device that is not there', () => {
    const value = { status: 'error', ename: 'ValueError', evalue: "device 'gpu:9' is not there", traceback: [] };
    expect(readReply(reply(value))).toEqual({ status: 'error', message: "ValueError: device 'gpu:9' is not there" });
  });

  it('is repeated later where the kernel dropped the request', () => {
    expect(readReply({ status: 'aborted' } as Reply)).toEqual({ status: 'aborted' });
  });
});

describe('the state of the devices', () => {
  it.each([[null], ['cpu:0'], [{}], [{ selected: 1, devices: [] }], [{ selected: 'cpu:0', devices: {} }]])(
    'is null for %j',
    data => {
      expect(readState(data)).toBeNull();
    }
  );

  it('leaves out what is not a device and fills in what is missing', () => {
    expect(readState({ selected: 'cpu:0', devices: [{ name: 'cpu:0' }, 7, { kind: 'cpu' }] })).toEqual({
      selected: 'cpu:0',
      devices: [{ name: 'cpu:0', kind: '', platform: '' }]
    });
  });

  it('is compared by what it says', () => {
    expect(sameState(state, structuredClone(state))).toBe(true);
    expect(sameState(state, { ...state, selected: 'cpu:0' })).toBe(false);
    expect(sameState(null, state)).toBe(false);
  });

  it('names what a device is where its name does not', () => {
    expect(state.devices.map(deviceLabel)).toEqual(['cpu:0', 'gpu:0 (NVIDIA H200)']);
  });
});

describe('the expressions', () => {
  it('ask a kernel that has not imported jaxlab for nothing', () => {
    expect(stateExpression()).toMatch(/if 'jaxlab' in __import__\('sys'\)\.modules else None$/);
    expect(selectExpression('cpu:0')).toMatch(/if 'jaxlab' in __import__\('sys'\)\.modules else None$/);
  });

  it('quote a name, so that it stays a name', () => {
    expect(selectExpression(`a"b\\c'`)).toContain(String.raw`select_device("a\"b\\c'")`);
  });
});
