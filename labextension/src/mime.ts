/** Draws records in the outputs of JupyterLab and Notebook 7: with no kernel, and in untrusted notebooks too. */
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Widget } from '@lumino/widgets';
import { MIME_TYPE } from './record/protocol';
import { mount } from './view/view';

class RecordRenderer extends Widget implements IRenderMime.IRenderer {
  private unmount: (() => void) | null = null;

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.unmount?.();
    this.unmount = mount(this.node, model.data[MIME_TYPE]);
    return Promise.resolve();
  }

  override dispose(): void {
    this.unmount?.();
    this.unmount = null;
    super.dispose();
  }
}

const extension: IRenderMime.IExtension = {
  id: 'jaxlab:record',
  rendererFactory: {
    safe: true, // data alone, every text of it drawn as text
    mimeTypes: [MIME_TYPE],
    createRenderer: () => new RecordRenderer()
  },
  rank: 0,
  dataType: 'json'
};

export default extension;
