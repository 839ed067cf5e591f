/** The live widget, for every front end that anywidget reaches: the same view, drawn anew when the record changes. */
import type { AnyWidget } from '@anywidget/types';
import { mount } from './view/view';

interface Model {
  record: unknown;
}

const widget: AnyWidget<Model> = {
  render({ model, el }) {
    let unmount = mount(el, model.get('record'));
    const redraw = () => {
      unmount();
      unmount = mount(el, model.get('record'));
    };
    model.on('change:record', redraw);
    return () => {
      model.off('change:record', redraw);
      unmount();
    };
  }
};

export default widget;
