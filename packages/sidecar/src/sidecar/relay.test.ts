import { createMemoryLinkPair, type Link, type MessageContent, StreamingMessage } from '@switchyard/protocol';
import { createMemoryLog, successResult, VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LocalWorker } from './local-worker.ts';
import { type MutableRelayCounts, Relay } from './relay.ts';

const limits = { highWaterBytes: 2_000, lowWaterBytes: 500, maxBufferedBytes: 1_000_000 };

function frame(content: MessageContent, requestId = ''): Uint8Array {
  return StreamingMessage.encode({ requestId, content }).finish();
}

function collect(link: Link): Uint8Array[] {
  const frames: Uint8Array[] = [];
  link.receive({ frame: (bytes) => frames.push(bytes) });
  return frames;
}

async function openRelay(waitingConsoleLines = 100) {
  const clock = new VirtualClock();
  const local = createMemoryLinkPair({ limits });
  const remote = createMemoryLinkPair({ limits });
  const worker = new LocalWorker({ clock, log: createMemoryLog(clock) }, local.acceptor, {
    workerId: 'w1',
    heldFrames: 10,
  });
  const counts: MutableRelayCounts = {
    framesUp: 0,
    framesDown: 0,
    bytesUp: 0,
    bytesDown: 0,
    framesConsumed: 0,
    linesDropped: 0,
  };
  const controls: (readonly [MessageContent, string])[] = [];
  const onControl = (content: MessageContent, requestId: string): void => void controls.push([content, requestId]);
  const relay = new Relay(worker, remote.opener, { counts, waitingConsoleLines, onControl });
  local.opener.send(frame({ $case: 'startStream', value: { workerId: 'w1', properties: new Map() } }));
  await worker.introduce(1_000);
  relay.open();
  return { clock, relay, worker, counts, controls, workerEnd: local.opener, runtimeEnd: remote.acceptor };
}

/** The tag of field 1012, which no message has, with a length behind it. */
const unknownField = Buffer.from([0xa2, 0x3f]);

const heartbeat = frame({ $case: 'workerHeartbeat', value: {} });

describe('Relay', () => {
  it('I1: passes every frame on as it is, in order, in both directions', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 30 }), async (bodies) => {
        const { clock, workerEnd, runtimeEnd, counts } = await openRelay();
        // A field that nobody knows, with the body in it: the envelope stays readable, the bytes are arbitrary.
        const frames = bodies.map((body) => Buffer.concat([unknownField, varint(body.length), body]));
        const up = collect(runtimeEnd);
        const down = collect(workerEnd);
        for (const one of frames) {
          workerEnd.send(one);
          runtimeEnd.send(one);
          await clock.settle();
        }
        expect([up.map(hex), down.map(hex)]).toEqual([frames.map(hex), frames.map(hex)]);
        expect([counts.framesUp, counts.framesDown]).toEqual([frames.length, frames.length]);
      }),
      { numRuns: 25 },
    );
  });

  it('I1: passes on what is no message at all, for the Runtime to judge; StartStream stays here', async () => {
    const { clock, workerEnd, runtimeEnd } = await openRelay();
    const up = collect(runtimeEnd);
    workerEnd.send(new Uint8Array([0x0a, 0xff]));
    workerEnd.send(frame({ $case: 'startStream', value: { workerId: 'w1', properties: new Map() } }));
    workerEnd.send(heartbeat);
    await clock.settle();
    expect(up.map(hex)).toEqual(['0aff', hex(heartbeat)]);
  });

  it('I2: keeps the messages that are for the sidecar', async () => {
    const { clock, workerEnd, runtimeEnd, controls, counts } = await openRelay();
    const down = collect(workerEnd);
    const result = successResult();
    const forSidecar: readonly MessageContent[] = [
      { $case: 'workerConnectResponse', value: { result, hostCapabilities: new Map(), functionLoadRequests: [] } },
      { $case: 'workerRestartRequest', value: { reason: 'x', newConfiguration: undefined } },
      { $case: 'workerSpecializedNotification', value: { workerId: 'w1', applicationId: 'a', jobHostId: 'a:1' } },
      { $case: 'workerSpecializedResponse', value: { result, jobHostId: 'a:1', correlationId: 'c' } },
    ];
    for (const content of forSidecar) runtimeEnd.send(frame(content, 'r'));
    runtimeEnd.send(heartbeat);
    await clock.settle();
    expect(down.map(hex)).toEqual([hex(heartbeat)]);
    expect(controls).toEqual(forSidecar.map((content) => [content, 'r']));
    expect([counts.framesConsumed, counts.framesDown]).toEqual([4, 1]);
  });

  it('I2: a message for the sidecar that cannot be read ends the stream', async () => {
    const { workerEnd, runtimeEnd, controls } = await openRelay();
    collect(workerEnd);
    // workerConnectResponse (field 51) with a result that reaches beyond its end.
    runtimeEnd.send(new Uint8Array([0x9a, 0x03, 0x02, 0x0a, 0x7f]));
    expect((await runtimeEnd.closed).code).toBe(1);
    expect(controls).toEqual([]);
  });

  it.each(['up', 'down'] as const)('I3: a reader that stops makes the sender wait, %s', async (direction) => {
    const { clock, workerEnd, runtimeEnd } = await openRelay();
    const [sender, reader] = direction === 'up' ? [workerEnd, runtimeEnd] : [runtimeEnd, workerEnd];
    const received = collect(reader);
    reader.pause();
    const big = frame({ $case: 'rpcLog', value: { ...emptyLine, message: 'x'.repeat(400) } });
    let sent = 0;
    let flows = true;
    while (flows && sent < 1_000) {
      flows = sender.send(big);
      sent += 1;
      await clock.settle();
    }
    expect(sent).toBeLessThan(20);
    reader.resume();
    await sender.drained();
    await clock.settle();
    expect(received).toHaveLength(sent);
  });

  it('I3: console lines wait in their order, up to a number, while the Runtime does not read', async () => {
    const { clock, relay, runtimeEnd, counts } = await openRelay(3);
    const received = collect(runtimeEnd);
    runtimeEnd.pause();
    const line = (text: string): Uint8Array => frame({ $case: 'rpcLog', value: { ...emptyLine, message: text } });
    relay.inject(line('x'.repeat(3_000)));
    for (const text of ['a', 'b', 'c', 'd', 'e']) relay.inject(line(text));
    runtimeEnd.resume();
    await clock.settle();
    expect(received.slice(1).map(textOf)).toEqual(['a', 'b', 'c']);
    expect(counts.linesDropped).toBe(2);
    relay.inject(line('f'));
    await clock.settle();
    expect(received.slice(4).map(textOf)).toEqual(['f']);
  });

  it('I4: after it is closed nothing passes, and what the worker says waits for the next one', async () => {
    const { clock, relay, worker, counts, workerEnd, runtimeEnd } = await openRelay();
    const down = collect(workerEnd);
    runtimeEnd.send(heartbeat);
    await clock.settle();
    relay.close();
    relay.close();
    relay.inject(heartbeat);
    workerEnd.send(heartbeat);
    await clock.settle();
    expect((await runtimeEnd.closed).code).toBe(1);
    expect([down.length, counts.linesDropped]).toEqual([1, 1]);
    const next = createMemoryLinkPair();
    const up = collect(next.acceptor);
    new Relay(worker, next.opener, { counts, waitingConsoleLines: 1, onControl: () => {} }).open();
    await clock.settle();
    expect(up.map(hex)).toEqual([hex(heartbeat)]);
  });
});

const emptyLine = {
  invocationId: '',
  category: '',
  level: 2,
  message: '',
  eventId: '',
  exception: undefined,
  properties: '',
  logCategory: 0,
  propertiesMap: new Map(),
} as const;

function textOf(bytes: Uint8Array): string {
  const { content } = StreamingMessage.decode(bytes);
  return content?.$case === 'rpcLog' ? content.value.message : '';
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function varint(value: number): Buffer {
  return value < 0x80 ? Buffer.from([value]) : Buffer.from([(value & 0x7f) | 0x80, value >>> 7]);
}
