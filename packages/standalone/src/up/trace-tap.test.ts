import { createMemoryLinkPair, type MessageContent, StreamingMessage } from '@switchyard/protocol';
import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { type MissedFrames, type TracedFrame, TraceTap } from './trace-tap.ts';

const encode = (content: MessageContent, requestId = ''): Uint8Array =>
  StreamingMessage.encode({ requestId, content }).finish();

const connect = encode({
  $case: 'workerConnect',
  value: {
    workerId: 'w1',
    applicationId: 'shop',
    metadataVersion: 'm',
    codeVersion: 'c',
    language: 'node',
    languageVersion: '24',
    workerCapabilities: new Map(),
    workerMetadata: undefined,
    functionMetadata: [],
    useDefaultMetadataIndexing: false,
    scriptRoot: '',
  },
});
const cancel = encode({ $case: 'invocationCancel', value: { gracePeriod: undefined, invocationId: 'call-1' } }, 'r1');

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function open() {
  const log = createMemoryLog();
  const tap = new TraceTap({ clock: new VirtualClock(), log });
  const { opener, acceptor } = createMemoryLinkPair();
  const runtime = tap.tap(acceptor);
  const received: Uint8Array[] = [];
  const sent: Uint8Array[] = [];
  runtime.receive({ frame: (bytes) => received.push(bytes) });
  opener.receive({ frame: (bytes) => sent.push(bytes) });
  const seen: (TracedFrame | MissedFrames)[] = [];
  return { log, tap, opener, runtime, received, sent, seen };
}

describe('TraceTap', () => {
  it('I1: hands every frame on as it is, in both directions, and the end too', async () => {
    const { opener, runtime, received, sent, tap, seen } = await open();
    tap.watch('shop', (frame) => seen.push(frame));
    opener.send(connect);
    opener.send(cancel);
    await settle();
    runtime.send(cancel);
    await settle();
    expect(received).toEqual([connect, cancel]);
    expect(received[0]).toBe(connect);
    expect(sent).toEqual([cancel]);
    const frame = { timeMs: expect.any(Number), workerId: 'w1' };
    expect(seen).toEqual([
      { ...frame, direction: 'from-worker', type: 'workerConnect', id: '', bytes: connect.length },
      { ...frame, direction: 'from-worker', type: 'invocationCancel', id: 'call-1', bytes: cancel.length },
      { ...frame, direction: 'to-worker', type: 'invocationCancel', id: 'call-1', bytes: cancel.length },
    ]);
    runtime.end({ code: 0, message: '' });
    expect(await opener.closed).toMatchObject({ code: 0 });
  });

  it('I1: hands on what is no message at all', async () => {
    const { opener, received, runtime, sent } = await open();
    const garbage = Uint8Array.of(0xff, 0xff, 0xff);
    opener.send(garbage);
    runtime.send(garbage);
    await settle();
    expect([received, sent]).toEqual([[garbage], [garbage]]);
  });

  it('I2: shows nothing of an app that nobody watches', async () => {
    const { opener, tap, seen, received } = await open();
    tap.watch('blog', (frame) => seen.push(frame));
    const leave = tap.watch('shop', (frame) => seen.push(frame));
    leave();
    opener.send(connect);
    opener.send(cancel);
    await settle();
    expect([received.length, seen]).toEqual([2, []]);
  });

  it('I3: survives a watcher that throws', async () => {
    const { opener, tap, seen, received, log } = await open();
    tap.watch('shop', () => {
      throw new Error('gone');
    });
    tap.watch('shop', (frame) => seen.push(frame));
    opener.send(connect);
    await settle();
    expect([received.length, seen.length]).toEqual([1, 1]);
    expect(log.records).toMatchObject([{ level: 'error', fields: { reason: 'gone' } }]);
  });

  it('I4: says who is watched, once for all watchers, and shows them what other Runtimes have seen', async () => {
    const { tap, seen } = await open();
    const told: string[] = [];
    const stop = tap.onWatched((app, isWatched) => told.push(`${app} ${isWatched}`));
    const frame = { timeMs: 1, workerId: 'w9', direction: 'to-worker', type: 'rpcLog', id: '', bytes: 5 } as const;
    tap.show('shop', frame);
    const leave = tap.watch('shop', (one) => seen.push(one));
    const leaveToo = tap.watch('shop', () => {});
    tap.show('shop', frame);
    tap.show('shop', { dropped: 3 });
    tap.show('blog', frame);
    expect([seen, tap.watchedApps()]).toEqual([[frame, { dropped: 3 }], ['shop']]);
    leave();
    leave();
    expect(told).toEqual(['shop true']);
    leaveToo();
    stop();
    tap.watch('shop', () => {});
    expect(told).toEqual(['shop true', 'shop false']);
  });
});
