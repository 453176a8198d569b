import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import { expect, it } from 'vitest';
import { grpcStatus } from '../link.ts';
import { collect, turns } from '../testing/link-collector.ts';
import { createMemoryLinkPair } from './memory-link.ts';

it('I1: frames and ends arrive in a later microtask, in order', async () => {
  const { opener, acceptor } = createMemoryLinkPair();
  const seen: string[] = [];
  acceptor.receive({ frame: (bytes) => void seen.push(String(bytes)), end: () => void seen.push('end') });
  opener.send(Buffer.from('frame'));
  opener.end();
  seen.push('returned');
  await turns(1);
  expect(seen).toEqual(['returned', 'frame', 'end']);
});

it('I1: a cancellation arrives in a later microtask', async () => {
  const { opener, acceptor } = createMemoryLinkPair();
  const ends: string[] = [];
  void opener.closed.then(() => ends.push('opener'));
  void acceptor.closed.then(() => ends.push('acceptor'));
  opener.cancel({ code: grpcStatus.cancelled, message: '' });
  expect(acceptor.send(Buffer.from('x'))).toBe(true);
  await turns(1);
  expect(ends).toEqual(['opener', 'acceptor']);
  expect(acceptor.send(Buffer.from('x'))).toBe(false);
});

it('I2: an unread queue makes send answer false at the high-water mark, and ends the link at the hard limit', async () => {
  const { opener, acceptor } = createMemoryLinkPair({
    limits: { highWaterBytes: 1000, lowWaterBytes: 100, maxBufferedBytes: 3000 },
  });
  const answers = Array.from({ length: 40 }, () => opener.send(Buffer.alloc(95)));
  expect(answers.indexOf(false)).toBe(9);
  expect(answers.lastIndexOf(true)).toBe(8);
  expect((await opener.closed).code).toBe(grpcStatus.resourceExhausted);
  expect((await acceptor.closed).code).toBe(grpcStatus.cancelled);
  expect(opener.bufferedBytes).toBe(0);
});

it('I2: frames without a byte count too', async () => {
  const { opener } = createMemoryLinkPair({ limits: { highWaterBytes: 50, lowWaterBytes: 10, maxBufferedBytes: 100 } });
  for (let n = 0; n < 30; n += 1) opener.send(new Uint8Array(0));
  expect((await opener.closed).code).toBe(grpcStatus.resourceExhausted);
});

it('hands over the very bytes that were sent', async () => {
  const { opener, acceptor } = createMemoryLinkPair();
  const received = collect(acceptor);
  const frame = Buffer.from('same');
  opener.send(frame);
  expect((await received.from(0, 1))[0]).toBe(frame);
});

it('logs what a receiver threw, with the name of its peer', async () => {
  const log = createMemoryLog(new VirtualClock());
  const { opener, acceptor } = createMemoryLinkPair({ log, openerName: 'sidecar 7', acceptorName: 'runtime' });
  expect([opener.peer, acceptor.peer]).toEqual(['runtime', 'sidecar 7']);
  acceptor.receive({
    frame: () => {
      throw new Error('broken receiver');
    },
  });
  opener.send(Buffer.from('x'));
  await opener.closed;
  expect(log.records).toMatchObject([{ level: 'error', fields: { peer: 'sidecar 7', error: 'broken receiver' } }]);
});
