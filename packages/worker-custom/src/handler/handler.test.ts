import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import { createFakeNetwork, createFakeProcesses, type FakeNetwork, type FakeProcess } from '../testing/fake-world.ts';
import { Handler } from './handler.ts';

const port = 40_123;

function start(options: { readonly obedient?: boolean; readonly initializationTimeoutMs?: number } = {}): {
  readonly clock: VirtualClock;
  readonly network: FakeNetwork;
  readonly handler: Handler;
  readonly process: FakeProcess;
} {
  const clock = new VirtualClock();
  const processes = createFakeProcesses({ obedient: options.obedient ?? true });
  const network = createFakeNetwork();
  const launch = { executable: '/app/handler', arguments: [], directory: '/app', environment: {} };
  const { initializationTimeoutMs = 30_000 } = options;
  const timings = { initializationTimeoutMs, readyPollMs: 25, terminationGraceMs: 5_000 };
  const handler = new Handler({ clock, processes, network }, { launch, port, ...timings });
  const [process] = processes.started;
  if (process === undefined) throw new Error('nothing was started');
  return { clock, network, handler, process };
}

/** How a promise stands right now. */
async function stateOf(clock: VirtualClock, promise: Promise<unknown>): Promise<string> {
  let state = 'waiting';
  promise.then(
    () => {
      state = 'done';
    },
    (reason: Error) => {
      state = reason.message;
    },
  );
  await clock.settle();
  return state;
}

describe('Handler', () => {
  test('I1: is ready when its port takes a connection', async () => {
    const { clock, network, handler } = start();
    await clock.advance(1_000);
    expect(await stateOf(clock, handler.ready)).toBe('waiting');
    network.open.add(port);
    await clock.advance(25);
    expect(await stateOf(clock, handler.ready)).toBe('done');
  });

  test.each<[string, Parameters<FakeProcess['exit']>[0], string]>([
    [
      'an exit code',
      { kind: 'exited', exitCode: 3, signal: null },
      "'/app/handler' ended before it was ready (exit code 3)",
    ],
    ['a signal', { kind: 'exited', exitCode: null, signal: 'SIGSEGV' }, '(signal SIGSEGV)'],
    [
      'no start',
      { kind: 'not-started', reason: 'there is no such program' },
      'did not start: there is no such program',
    ],
  ])('I1: %s before it is ready is why it never will be', async (_name, exit, message) => {
    const { clock, handler, process } = start();
    process.exit(exit);
    expect(await stateOf(clock, handler.ready)).toContain(message);
    expect((await handler.ended).requested).toBe(false);
  });

  test('I1: a port that opens after the process died belongs to somebody else', async () => {
    const { clock, network, handler, process } = start();
    process.exit({ kind: 'exited', exitCode: 0, signal: null });
    network.open.add(port);
    await clock.advance(1_000);
    expect(await stateOf(clock, handler.ready)).toContain('ended before it was ready');
  });

  test('I2: tries the port every 25 ms until it is ready, and never again', async () => {
    const { clock, network } = start();
    await clock.advance(100);
    expect(network.probes).toBe(5);
    network.open.add(port);
    await clock.advance(25);
    expect(network.probes).toBe(6);
    await clock.advance(10_000);
    expect(network.probes).toBe(6);
    expect(clock.pendingTimers).toBe(0);
  });

  test('I3: one that is not ready in time is stopped, and it is told what to do', async () => {
    const { clock, handler, process } = start({ initializationTimeoutMs: 2_000 });
    await clock.advance(2_000);
    expect(process.signals).toEqual(['SIGTERM']);
    const message = await stateOf(clock, handler.ready);
    expect(message).toContain(`took no connection on 127.0.0.1:${port} within 2000 ms`);
    expect(message).toContain('FUNCTIONS_CUSTOMHANDLER_PORT');
    expect(clock.pendingTimers).toBe(0);
  });

  test('I4: is asked first and killed after the grace', async () => {
    const { clock, handler, process } = start({ obedient: false });
    const stopped = handler.stop();
    await clock.advance(4_999);
    expect(process.signals).toEqual(['SIGTERM']);
    await clock.advance(1);
    expect(process.signals).toEqual(['SIGTERM', 'SIGKILL']);
    await stopped;
  });

  test('I4: asking again shortens the grace and never lengthens it', async () => {
    const { clock, handler, process } = start({ obedient: false });
    void handler.stop(10_000);
    await clock.advance(1_000);
    void handler.stop(500);
    void handler.stop(60_000);
    await clock.advance(500);
    expect(process.signals).toEqual(['SIGTERM', 'SIGKILL']);
  });

  test('I5: tells whether its end was asked for', async () => {
    const asked = start();
    asked.network.open.add(port);
    await asked.clock.advance(25);
    await asked.handler.stop();
    expect((await asked.handler.ended).requested).toBe(true);

    const alone = start();
    alone.network.open.add(port);
    await alone.clock.advance(25);
    alone.process.exit({ kind: 'exited', exitCode: 1, signal: null });
    const { requested, error } = await alone.handler.ended;
    expect(requested).toBe(false);
    expect(error.message).toContain('ended while it served (exit code 1)');
  });

  test('stopping one that is gone is done at once', async () => {
    const { handler, process } = start();
    process.exit({ kind: 'exited', exitCode: 0, signal: null });
    await handler.ended;
    await handler.stop();
    expect(process.signals).toEqual([]);
  });
});
