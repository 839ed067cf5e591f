/**
 * The devices of a kernel: how to ask for them and how to read the answer.
 *
 * The kernel's side is `jaxlab.magics.device`: `device_state()` tells the devices and the selected one,
 * `select_device(name)` selects. It is asked through the user expressions of a silent request, which leave no
 * trace in the user's history, namespace or `Out`, and which every Jupyter kernel of Python answers.
 */
import type { Kernel, KernelMessage } from '@jupyterlab/services';

/** One device, as `jaxlab.magics.device` names it. */
export interface Device {
  /** The name that `%device` takes, such as `cpu:0`. */
  readonly name: string;
  /** What it is, such as `cpu` or `NVIDIA H200`. */
  readonly kind: string;
  /** `cpu`, `gpu` or `tpu`. */
  readonly platform: string;
}

/** The devices of one kernel, and which of them runs what is not placed elsewhere. */
export interface DeviceState {
  readonly selected: string;
  readonly devices: readonly Device[];
}

/** What a kernel answered: its state, that it does not use jaxlab, or that it dropped the request. */
export type Answer =
  | { readonly status: 'ok'; readonly state: DeviceState }
  | { readonly status: 'unused' }
  | { readonly status: 'aborted' }
  | { readonly status: 'error'; readonly message: string };

const EXPRESSION = 'jaxlab_devices';
const MODULE = `__import__('importlib').import_module('jaxlab.magics.device')`;
const IS_LOADED = `'jaxlab' in __import__('sys').modules`;

// JSON of IPython turns a dict, or a string of JSON, into an `application/json` of the reply.
const asJson = (value: string): string => `__import__('IPython').display.JSON(${value})`;

/** The expression that tells the devices, or None in a kernel that has not imported jaxlab. */
export function stateExpression(): string {
  return `${asJson(`${MODULE}.device_state()`)} if ${IS_LOADED} else None`;
}

/** The expression that selects a device and tells the devices after it. */
export function selectExpression(name: string): string {
  // A JSON string is a Python string of the same characters.
  const select = `${MODULE}.select_device(${JSON.stringify(name)})`;
  return `(${select}, ${asJson(`${MODULE}.device_state()`)})[1] if ${IS_LOADED} else None`;
}

/** Evaluate an expression in a kernel, without a trace in its history. */
export async function ask(kernel: Kernel.IKernelConnection, expression: string): Promise<Answer> {
  const future = kernel.requestExecute({
    code: '',
    silent: true,
    store_history: false,
    allow_stdin: false,
    stop_on_error: false,
    user_expressions: { [EXPRESSION]: expression }
  });
  try {
    return readReply((await future.done).content);
  } finally {
    future.dispose();
  }
}

/** Read the reply to `ask`. */
export function readReply(content: KernelMessage.IExecuteReplyMsg['content']): Answer {
  if (content.status === 'error') {
    return { status: 'error', message: `${content.ename}: ${content.evalue}` };
  }
  if (content.status !== 'ok') {
    return { status: 'aborted' };
  }
  const value: unknown = content.user_expressions[EXPRESSION];
  if (isRecord(value) && value.status === 'error') {
    return { status: 'error', message: `${String(value.ename)}: ${String(value.evalue)}` };
  }
  const data = isRecord(value) && isRecord(value.data) ? value.data['application/json'] : undefined;
  const state = readState(data);
  return state ? { status: 'ok', state } : { status: 'unused' };
}

/** Read the JSON of `device_state()`; null for anything else. */
export function readState(data: unknown): DeviceState | null {
  if (!isRecord(data) || typeof data.selected !== 'string' || !Array.isArray(data.devices)) {
    return null;
  }
  const devices: Device[] = [];
  for (const device of data.devices as unknown[]) {
    if (isRecord(device) && typeof device.name === 'string') {
      devices.push({
        name: device.name,
        kind: typeof device.kind === 'string' ? device.kind : '',
        platform: typeof device.platform === 'string' ? device.platform : ''
      });
    }
  }
  return { selected: data.selected, devices };
}

/** The text of a device in the menu: its name, and what it is where the name does not say so. */
export function deviceLabel(device: Device): string {
  return device.kind && device.kind !== device.platform ? `${device.name} (${device.kind})` : device.name;
}

/** Whether two states would be drawn alike. */
export function sameState(a: DeviceState | null, b: DeviceState | null): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
