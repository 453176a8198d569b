/** Every recorded conversation with an official worker, sent through the transport as it was, both directions at once. */
import { expect, it } from 'vitest';
import { readEnvelope } from '../envelope.ts';
import { StreamingMessage } from '../gen/function-rpc.ts';
import { collect } from '../testing/link-collector.ts';
import { readRecordedFrames } from '../testing/recorded-frames.ts';
import { openSocketLinks } from '../testing/socket-links.ts';
import { createMemoryLinkPair } from './memory-link.ts';

const conversations = Map.groupBy(readRecordedFrames(), ({ file }) => file);

it('there are recordings of every official worker', () => {
  expect([...conversations.keys()].map((file) => file.split(/[-.]/)[0])).toEqual(
    expect.arrayContaining(['java', 'node', 'python']),
  );
});

it.each([...conversations.keys()].flatMap((file) => [[file, 'HTTP/2'] as const, [file, 'memory'] as const]))(
  '%s arrives over %s as it was recorded, and decodes',
  async (file, carrier) => {
    const links = carrier === 'HTTP/2' ? await openSocketLinks() : { ...createMemoryLinkPair(), close: async () => {} };
    const frames = conversations.get(file) ?? [];
    const [atRuntime, atWorker] = [collect(links.acceptor), collect(links.opener)];
    for (const { direction, bytes } of frames)
      (direction === 'worker->host' ? links.opener : links.acceptor).send(bytes);
    const fromWorker = frames.filter(({ direction }) => direction === 'worker->host');
    const fromHost = frames.filter(({ direction }) => direction === 'host->worker');
    const arrived = [...(await atRuntime.from(0, fromWorker.length)), ...(await atWorker.from(0, fromHost.length))];
    for (const [index, expected] of [...fromWorker, ...fromHost].entries()) {
      const frame = arrived[index] ?? Buffer.alloc(0);
      expect(expected.bytes.equals(frame)).toBe(true);
      const message = StreamingMessage.decode(frame);
      expect(readEnvelope(frame)).toMatchObject({ requestId: message.requestId, contentCase: message.content?.$case });
    }
    links.opener.end();
    links.acceptor.end();
    expect((await links.opener.closed).code).toBe(0);
    await links.close();
  },
);
