/** The JupyterLab plugin: the selected device in the status bar, with a menu of the devices to choose from. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IStatusBar } from '@jupyterlab/statusbar';
import { MenuSvg } from '@jupyterlab/ui-components';
import { deviceLabel } from './devices';
import { DeviceModel } from './devicesModel';
import { DeviceStatus } from './devicesStatus';

const SELECT = 'jaxlab:select-device';
const CHOOSE = 'jaxlab:choose-device';

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'jaxlab:devices',
  description: 'Shows the device that jaxlab computes on and lets one choose another.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [IStatusBar, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    notebooks: INotebookTracker,
    statusBar: IStatusBar | null,
    palette: ICommandPalette | null
  ): void => {
    if (!statusBar) {
      // Notebook 7 has no status bar; `%device` is the way there.
      return;
    }
    const model = new DeviceModel();
    const follow = (): void => {
      model.follow(notebooks.currentWidget?.sessionContext ?? null);
    };
    notebooks.currentChanged.connect(follow);
    follow();

    addSelectCommand(app, model);
    const status = new DeviceStatus(model, () => {
      openMenu(app, model, status);
    });
    addChooseCommand(app, model, status, palette);
    statusBar.registerStatusItem(plugin.id, {
      item: status,
      align: 'left',
      rank: 4,
      isActive: () => model.state !== null,
      activeStateChanged: model.changed
    });
  }
};

export default plugin;

/** The command behind each item of the menu. */
function addSelectCommand({ commands }: JupyterFrontEnd, model: DeviceModel): void {
  const find = (name: unknown) => model.state?.devices.find(device => device.name === name);
  commands.addCommand(SELECT, {
    label: ({ name }) => {
      const device = find(name);
      return device ? deviceLabel(device) : 'Select a jaxlab Device';
    },
    describedBy: {
      args: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } }
    },
    isToggleable: true,
    isToggled: ({ name }) => model.state?.selected === name,
    isEnabled: ({ name }) => find(name) !== undefined,
    execute: async ({ name }) => {
      try {
        await model.select(name as string);
      } catch (error) {
        Notification.error(error instanceof Error ? error.message : String(error));
      }
    }
  });
}

/** The way to the menu for those who live in the command palette. */
function addChooseCommand(
  app: JupyterFrontEnd,
  model: DeviceModel,
  status: DeviceStatus,
  palette: ICommandPalette | null
): void {
  app.commands.addCommand(CHOOSE, {
    label: 'Choose the jaxlab Device',
    describedBy: { args: { type: 'object', properties: {} } },
    isEnabled: () => model.state !== null,
    execute: () => {
      openMenu(app, model, status);
    }
  });
  model.changed.connect(() => {
    app.commands.notifyCommandChanged(CHOOSE);
  });
  palette?.addItem({ command: CHOOSE, category: 'Kernel Operations' });
}

/** Open the menu above the button; the focus goes into it, and back to the button when it closes. */
function openMenu({ commands }: JupyterFrontEnd, model: DeviceModel, status: DeviceStatus): void {
  if (!model.state) {
    return;
  }
  const menu = new MenuSvg({ commands });
  menu.addClass('jaxlab-DeviceMenu');
  menu.title.label = 'jaxlab device';
  menu.node.setAttribute('aria-label', 'jaxlab device');
  for (const { name } of model.state.devices) {
    menu.addItem({ command: SELECT, args: { name } });
  }
  menu.aboutToClose.connect(() => {
    status.setExpanded(false);
    status.anchor.focus();
    // The chosen command runs after this signal, and reads the item that it came from.
    requestAnimationFrame(() => {
      menu.dispose();
    });
  });
  const { left, top } = status.anchor.getBoundingClientRect();
  status.setExpanded(true);
  // Where a menu does not fit below a point, lumino puts it above.
  menu.open(left, top);
  menu.activeIndex = model.state.devices.findIndex(({ name }) => name === model.state?.selected);
}
