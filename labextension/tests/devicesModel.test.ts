import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Signal } from '@lumino/signaling';
import type { ISessionContext } from '@jupyterlab/apputils';
import type { DeviceState } from '../src/devices';
import { DeviceModel } from '../src/devicesModel';

const state = (selected: string): DeviceState => ({
  selected,
  devices: ['cpu:0', 'cpu:1'].map(name => ({ name, kind: 'cpu', platform: 'cpu' }))
});

type Content = Record<string, unknown>;

const ok = (data: Content): Content => ({
  status: 'ok',
  user_expressions: { jaxlab_devices: { status: 'ok', data } }
});

/** A kernel that answers each request with `answer(expression)`. */
class FakeKernel {
  readonly asked: string[] = [];
  info = Promise.resolve({ language_info: { name: 'python' } });
  answer: (expression: string) => Content | Promise<Content> = () => ok({ 'application/json': state('cpu:0') });

  requestExecute(content: { user_expressions: { jaxlab_devices: string } }) {
    const expression = content.user_expressions.jaxlab_devices;
    this.asked.push(expression);
    return {
      done: Promise.resolve(this.answer(expression)).then(reply => ({ content: reply })),
      dispose: () => undefined
    };
  }
}

/** A session with the signals that the model listens to. */
class FakeSession {
  session: { kernel: FakeKernel } | null;
  readonly kernelChanged = new Signal<this, unknown>(this);
  readonly statusChanged = new Signal<this, string>(this);
  readonly iopubMessage = new Signal<this, unknown>(this);

  constructor(kernel: FakeKernel | null) {
    this.session = kernel && { kernel };
  }

  get context(): ISessionContext {
    return this as unknown as ISessionContext;
  }

  message(type: string, parent: string, content: Content = {}): void {
    this.iopubMessage.emit({ header: { msg_type: type }, parent_header: { msg_id: parent }, content });
  }

  execute(parent: string): void {
    this.message('execute_input', parent);
    this.message('status', parent, { execution_state: 'idle' });
  }
}

const settle = () => new Promise(resolve => setTimeout(resolve, 0));

let kernel: FakeKernel;
let session: FakeSession;
let model: DeviceModel;

beforeEach(() => {
  kernel = new FakeKernel();
  session = new FakeSession(kernel);
  model = new DeviceModel();
});

describe('a model of devices', () => {
  it('asks the notebook that it follows', async () => {
    const changed = vi.fn();
    model.changed.connect(changed);
    model.follow(session.context);
    await settle();
    expect(model.state).toEqual(state('cpu:0'));
    expect(changed).toHaveBeenCalledTimes(1);
  });

  it('asks again after an execution, and only then', async () => {
    model.follow(session.context);
    await settle();
    kernel.answer = () => ok({ 'application/json': state('cpu:1') });
    session.message('status', 'of a silent request', { execution_state: 'idle' });
    await settle();
    expect(kernel.asked).toHaveLength(1);
    session.execute('a');
    await settle();
    expect(kernel.asked).toHaveLength(2);
    expect(model.state?.selected).toBe('cpu:1');
  });

  it('asks once for executions that end while it asks', async () => {
    model.follow(session.context);
    session.execute('a');
    session.execute('b');
    session.execute('c');
    await settle();
    expect(kernel.asked).toHaveLength(2);
  });

  it('has nothing to show without jaxlab, in another language, without a kernel or a notebook', async () => {
    model.follow(session.context);
    await settle();
    kernel.answer = () => ok({ 'text/plain': 'None' });
    session.execute('a');
    await settle();
    expect(model.state).toBeNull();

    const other = new FakeKernel();
    other.info = Promise.resolve({ language_info: { name: 'julia' } });
    model.follow(new FakeSession(other).context);
    await settle();
    expect(model.state).toBeNull();
    expect(other.asked).toEqual([]);

    model.follow(new FakeSession(null).context);
    await settle();
    model.follow(null);
    await settle();
    expect(model.state).toBeNull();
  });

  it('forgets at a restart and asks after the next execution', async () => {
    model.follow(session.context);
    await settle();
    session.statusChanged.emit('restarting');
    expect(model.state).toBeNull();
    session.execute('a');
    await settle();
    expect(model.state).toEqual(state('cpu:0'));
  });

  it('asks anew although the kernel was restarted before it answered', async () => {
    const pending = kernel.answer('');
    kernel.answer = () => new Promise(() => undefined);
    model.follow(session.context);
    await settle();
    session.statusChanged.emit('autorestarting');
    kernel.answer = () => pending;
    session.execute('a');
    await settle();
    expect(model.state).toEqual(state('cpu:0'));
  });

  it('does not show the answer of a notebook that was left meanwhile', async () => {
    let answer: (content: Content) => void = () => undefined;
    kernel.answer = () =>
      new Promise(resolve => {
        answer = resolve;
      });
    model.follow(session.context);
    await settle();
    model.follow(null);
    answer(ok({ 'application/json': state('cpu:1') }));
    await settle();
    expect(model.state).toBeNull();
  });

  it('keeps quiet when the kernel goes away under a request', async () => {
    kernel.answer = () => Promise.reject(new Error('Canceled future'));
    model.follow(session.context);
    await settle();
    expect(model.state).toBeNull();
  });

  it('repeats a request that went with a failed queue', async () => {
    vi.useFakeTimers();
    const answers = [{ status: 'aborted' }, ok({ 'application/json': state('cpu:1') })];
    kernel.answer = () => answers.shift() ?? {};
    model.follow(session.context);
    await vi.runAllTimersAsync();
    vi.useRealTimers();
    expect(model.state?.selected).toBe('cpu:1');
  });
});

describe('selecting a device', () => {
  it('shows what the kernel then says', async () => {
    model.follow(session.context);
    await settle();
    kernel.answer = () => ok({ 'application/json': state('cpu:1') });
    await model.select('cpu:1');
    expect(kernel.asked.at(-1)).toContain('select_device("cpu:1")');
    expect(model.state?.selected).toBe('cpu:1');
  });

  it('throws what the kernel said, and leaves the state', async () => {
    model.follow(session.context);
    await settle();
    kernel.answer = () => ({
      status: 'ok',
      user_expressions: { jaxlab_devices: { status: 'error', ename: 'ValueError', evalue: 'no such device' } }
    });
    await expect(model.select('gpu:0')).rejects.toThrow('ValueError: no such device');
    expect(model.state).toEqual(state('cpu:0'));
  });

  it('throws where there is no kernel any more', async () => {
    await expect(model.select('cpu:0')).rejects.toThrow('did not answer');
  });
});

it('is silent once disposed', async () => {
  model.follow(session.context);
  await settle();
  model.dispose();
  session.execute('a');
  model.follow(session.context);
  await settle();
  expect(kernel.asked).toHaveLength(1);
});
