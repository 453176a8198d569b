import { PlatformError } from '@switchyard/kernel';
import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { grpcStatus } from '../link.ts';
import { createMemoryLinkPair } from '../transport/memory-link.ts';
import { createFramePeer, type PeerHandlers } from './frame-peer.ts';

function open(handlers: Partial<PeerHandlers> = {}) {
  const clock = new VirtualClock();
  const { opener, acceptor } = createMemoryLinkPair();
  const noted: unknown[] = [];
  const there = createFramePeer(clock, acceptor, {
    call: async (method, body) => [method, body],
    note: (method, body) => noted.push([method, body]),
    ...handlers,
  });
  const here = createFramePeer(clock, opener, { call: async () => null, note: () => {} });
  return { clock, opener, here, there, noted };
}

const refusal = new PlatformError(
  'APP_UNKNOWN',
  { blame: 'user', retry: 'never', http: 404, grpc: 5, exit: 2, message: 'there is no such app' },
  {},
);

describe('createFramePeer', () => {
  it('I1: a call is answered once, with what the other end says or with its error', async () => {
    const { clock, here } = open();
    expect(await clock.runUntil(here.call('scale', { count: 2 }, 1_000))).toEqual(['scale', { count: 2 }]);
    const failing = open({ call: () => Promise.reject(refusal) });
    const failed = failing.clock.runUntil(failing.here.call('scale', null, 1_000));
    await expect(failed).rejects.toMatchObject({
      code: 'APP_UNKNOWN',
      message: 'there is no such app',
      definition: { http: 404 },
    });
    expect(failing.clock.pendingTimers).toBe(0);
  });

  it('I1: a call that nobody answers, and one whose channel ends, are errors with a name', async () => {
    const silent = open({ call: () => new Promise(() => {}) });
    const late = silent.clock.runUntil(silent.here.call('scale', null, 1_000));
    await expect(late).rejects.toMatchObject({ code: 'FLEET_CALL_LATE' });
    const lost = silent.here.call('scale', null, 1_000);
    silent.there.close({ code: grpcStatus.unavailable, message: 'it ends' });
    await expect(silent.clock.runUntil(lost)).rejects.toMatchObject({ code: 'FLEET_CHANNEL_CLOSED' });
    await expect(silent.here.call('scale', null, 1_000)).rejects.toMatchObject({ code: 'FLEET_CHANNEL_CLOSED' });
    expect(silent.clock.pendingTimers).toBe(0);
  });

  it('I2: calls and notes are taken up in their order', async () => {
    const order: string[] = [];
    const { clock, here } = open({
      call: async (method) => void order.push(method),
      note: (method) => order.push(method),
    });
    const calls = [here.call('1', null, 1_000)];
    here.note('2', null);
    calls.push(here.call('3', null, 1_000));
    here.note('4', null);
    await clock.runUntil(Promise.all(calls));
    await clock.settle();
    expect(order).toEqual(['1', '2', '3', '4']);
  });

  it.each([
    'no JSON',
    'null',
    '[]',
    '{"kind":"call"}',
    '{"kind":"note"}',
    '{"kind":"answer"}',
    '{"kind":"error","id":1}',
  ])('I3: a frame that is %s ends the link', async (text) => {
    const { clock, opener, there } = open();
    opener.send(new TextEncoder().encode(text));
    expect(await clock.runUntil(there.closed)).toMatchObject({ code: grpcStatus.invalidArgument });
  });

  it('I3: a handler that throws ends nothing', async () => {
    const { clock, here } = open({ call: () => Promise.reject(new Error('not now')) });
    await expect(clock.runUntil(here.call('scale', null, 1_000))).rejects.toMatchObject({
      code: 'UNEXPECTED',
      message: 'not now',
    });
    await expect(clock.runUntil(here.call('scale', null, 1_000))).rejects.toThrow('not now');
  });
});
