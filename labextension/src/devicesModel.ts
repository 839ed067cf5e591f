/**
 * The devices of the notebook that is looked at: asked anew after each execution, on another notebook and on
 * another kernel, and forgotten when the kernel goes.
 */
import type { ISessionContext } from '@jupyterlab/apputils';
import type { Kernel, KernelMessage } from '@jupyterlab/services';
import { Signal, type ISignal } from '@lumino/signaling';
import { ask, sameState, selectExpression, stateExpression, type Answer, type DeviceState } from './devices';

/** How often, and after how many milliseconds, a request is repeated that the kernel dropped with a failed queue. */
const RETRIES = 3;
const RETRY_DELAY = 250;

/** Follows one session at a time; `changed` says that `state` is another one. */
export class DeviceModel {
  /** The devices, or null where there is nothing to show: no notebook, no kernel, no jaxlab in it. */
  get state(): DeviceState | null {
    return this._state;
  }

  /** Emitted when `state` changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Follow this session from now on; null follows none. */
  follow(session: ISessionContext | null): void {
    if (session === this._session || this._disposed) {
      return;
    }
    this._release();
    this._session = session;
    if (session) {
      session.kernelChanged.connect(this._onKernelChanged, this);
      session.statusChanged.connect(this._onStatusChanged, this);
      session.iopubMessage.connect(this._onMessage, this);
      this._refreshLater();
    }
  }

  /** Ask the kernel now. Overlapping calls are answered by one request after the one under way. */
  async refresh(): Promise<void> {
    const kernel = this._session?.session?.kernel ?? null;
    if (kernel && kernel === this._asked) {
      this._stale = true;
      return;
    }
    this._asked = kernel;
    do {
      this._stale = false;
      await this._ask(stateExpression());
      // `_stale` is set by the signals that came while the kernel was asked.
    } while ((this._stale as boolean) && kernel === this._asked);
    if (kernel === this._asked) {
      this._asked = null;
    }
  }

  /** Select a device in the kernel; throws what the kernel said where it could not. */
  async select(name: string): Promise<void> {
    const answer = await this._ask(selectExpression(name));
    if (answer?.status === 'error') {
      throw new Error(answer.message);
    }
    if (answer?.status !== 'ok') {
      throw new Error(`${name}: the kernel did not answer; try again once it is idle`);
    }
  }

  /** Stop following. */
  dispose(): void {
    this._release();
    this._disposed = true;
    Signal.clearData(this);
  }

  private async _ask(expression: string): Promise<Answer | null> {
    const session = this._session;
    for (let attempt = 0; attempt <= RETRIES; attempt++) {
      const kernel = session?.session?.kernel;
      if (!kernel) {
        this._setStateOf(session, null);
        return null;
      }
      let answer: Answer;
      try {
        if (!(await isPython(kernel))) {
          this._setStateOf(session, null);
          return null;
        }
        answer = await ask(kernel, expression);
      } catch {
        // The kernel went away before it answered; the signal of its end sets the state.
        return null;
      }
      if (kernel !== session.session?.kernel) {
        return null;
      }
      if (answer.status === 'ok') {
        this._setStateOf(session, answer.state);
      } else if (answer.status === 'unused') {
        this._setStateOf(session, null);
      }
      if (answer.status !== 'aborted') {
        return answer;
      }
      await new Promise(resolve => setTimeout(resolve, RETRY_DELAY));
    }
    return { status: 'aborted' };
  }

  private _release(): void {
    this._session?.kernelChanged.disconnect(this._onKernelChanged, this);
    this._session?.statusChanged.disconnect(this._onStatusChanged, this);
    this._session?.iopubMessage.disconnect(this._onMessage, this);
    this._session = null;
    this._forget();
  }

  // What was under way in a kernel that is gone is no longer waited for.
  private _forget(): void {
    this._running.clear();
    this._asked = null;
    this._setState(null);
  }

  private _onKernelChanged(): void {
    this._forget();
    this._refreshLater();
  }

  private _onStatusChanged(_: ISessionContext, status: Kernel.Status): void {
    if (status === 'restarting' || status === 'autorestarting' || status === 'terminating' || status === 'dead') {
      this._forget();
    }
  }

  // An execution announces its input and ends with an idle status. A silent request, such as our own, announces
  // nothing, so that asking is never an occasion to ask again.
  private _onMessage(_: ISessionContext, message: KernelMessage.IMessage): void {
    const parent = 'msg_id' in message.parent_header ? message.parent_header.msg_id : '';
    if (message.header.msg_type === 'execute_input') {
      this._running.add(parent);
    } else if (message.header.msg_type === 'status') {
      const { execution_state } = message.content as KernelMessage.IStatusMsg['content'];
      if (execution_state === 'idle' && this._running.delete(parent)) {
        this._refreshLater();
      }
    }
  }

  private _refreshLater(): void {
    // It never rejects: a kernel that goes away meanwhile leaves the state to its signals.
    void this.refresh();
  }

  private _setStateOf(session: ISessionContext | null, state: DeviceState | null): void {
    if (session === this._session) {
      this._setState(state);
    }
  }

  private _setState(state: DeviceState | null): void {
    if (!sameState(state, this._state)) {
      this._state = state;
      this._changed.emit();
    }
  }

  private _session: ISessionContext | null = null;
  private _state: DeviceState | null = null;
  private _asked: Kernel.IKernelConnection | null = null;
  private _stale = false;
  private _disposed = false;
  private readonly _running = new Set<string>();
  private readonly _changed = new Signal<this, void>(this);
}

async function isPython(kernel: Kernel.IKernelConnection): Promise<boolean> {
  const info = await kernel.info;
  return info.language_info.name === 'python';
}
