/** The item of the status bar: a button that names the selected device and opens the menu of all. */
import { Widget } from '@lumino/widgets';
import { deviceLabel } from './devices';
import type { DeviceModel } from './devicesModel';

/** Shows the selected device of a model; `open` is called with the button when the user wants the menu. */
export class DeviceStatus extends Widget {
  constructor(model: DeviceModel, open: (anchor: HTMLElement) => void) {
    super();
    this.addClass('jaxlab-DeviceStatus');
    this._model = model;
    this._button = document.createElement('button');
    this._button.type = 'button';
    this._button.className = 'jaxlab-DeviceStatus-button';
    this._button.setAttribute('aria-haspopup', 'menu');
    this._button.setAttribute('aria-expanded', 'false');
    this._button.addEventListener('click', () => {
      open(this._button);
    });
    this.node.append(this._button);
    model.changed.connect(this._draw, this);
    this._draw();
  }

  /** The element that the menu opens at and that gets the focus back. */
  get anchor(): HTMLElement {
    return this._button;
  }

  /** Tell assistive technology whether the menu is open. */
  setExpanded(expanded: boolean): void {
    this._button.setAttribute('aria-expanded', String(expanded));
  }

  override dispose(): void {
    this._model.changed.disconnect(this._draw, this);
    super.dispose();
  }

  private _draw(): void {
    const { state } = this._model;
    const selected = state?.selected ?? '';
    const device = state?.devices.find(({ name }) => name === selected);
    this._button.textContent = selected;
    this._button.title = `jaxlab runs on ${device ? deviceLabel(device) : selected}; click to choose a device`;
    this._button.setAttribute('aria-label', `jaxlab device: ${selected}. Choose a device`);
  }

  private readonly _model: DeviceModel;
  private readonly _button: HTMLButtonElement;
}
