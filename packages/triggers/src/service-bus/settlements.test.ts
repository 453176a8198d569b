import { createDeferred } from '@switchyard/kernel';
import { describe, expect, it } from 'vitest';
import type { MessageSettling, ServiceBusMessage, ServiceBusReceiver } from './service-bus-client.ts';
import { type SettlementScope, Settlements } from './settlements.ts';

const message = (lockToken: string, sessionId?: string): ServiceBusMessage => ({
  body: Buffer.from(lockToken),
  messageId: lockToken,
  lockToken,
  deliveryCount: 1,
  sequenceNumber: '1',
  enqueuedMs: 0,
  expiresMs: 0,
  lockedUntilMs: 30_000,
  ...(sessionId === undefined ? {} : { sessionId }),
  applicationProperties: {},
  encode: () => new Uint8Array(),
});

const complete = { kind: 'complete' } as const;

function receiver(settle: () => Promise<void> = async () => {}) {
  const heard: string[] = [];
  const given: ServiceBusReceiver = {
    receive: async () => [],
    complete: async () => {},
    abandon: async () => {},
    settle: async ({ messageId }, { kind }: MessageSettling) => {
      heard.push(`${kind} ${messageId}`);
      await settle();
    },
    session: {
      state: async () => Buffer.from('state'),
      setState: async () => {},
      renew: async () => 1,
      release: () => {},
    },
    isReleased: false,
    renew: async ({ messageId }) => {
      heard.push(`renew ${messageId}`);
      return 1;
    },
    close: async () => {},
  };
  return { given, heard };
}

const all: SettlementScope = { kind: 'all' };

describe('Settlements', () => {
  it('I1: a message is settled once, and the listener hears of the others', async () => {
    const settlements = new Settlements();
    const { given, heard } = receiver();
    const [mine, other] = [message('A-1'), message('A-2')];
    const held = settlements.hold(given, [mine, other], 'shop');
    await settlements.settle(all, 'a-1', complete);
    await expect(settlements.settle(all, 'A-1', complete)).rejects.toMatchObject({
      code: 'SERVICE_BUS_ALREADY_SETTLED',
    });
    await settlements.renew(all, 'A-2');
    expect(await held.release()).toEqual([other]);
    expect(heard).toEqual(['complete A-1', 'renew A-2']);
  });

  it('I1: what is being settled when the function ends is waited for, and what failed is not settled', async () => {
    const settlements = new Settlements();
    const gate = createDeferred<void>();
    const { given } = receiver(() => gate.promise);
    const held = settlements.hold(given, [message('a')], 'shop');
    const settled = settlements.settle(all, 'a', complete);
    const released = held.release();
    gate.reject(new Error('the lock was lost'));
    await expect(settled).rejects.toThrow('the lock was lost');
    expect((await released).map(({ lockToken }) => lockToken)).toEqual(['a']);
  });

  it('I1: one whose settling failed may be settled again', async () => {
    const settlements = new Settlements();
    let calls = 0;
    const { given } = receiver(async () => {
      calls += 1;
      if (calls === 1) throw new Error('the line was cut');
    });
    const held = settlements.hold(given, [message('a')], 'shop');
    await expect(settlements.settle(all, 'a', complete)).rejects.toThrow('the line was cut');
    await settlements.settle(all, 'a', complete);
    expect(await held.release()).toEqual([]);
  });

  it('I2: after the function has ended its messages are unknown', async () => {
    const settlements = new Settlements();
    const { given, heard } = receiver();
    await settlements.hold(given, [message('a', 's')], 'shop').release();
    await expect(settlements.settle(all, 'a', complete)).rejects.toMatchObject({ code: 'SERVICE_BUS_LOCK_UNKNOWN' });
    await expect(settlements.renew(all, 'a')).rejects.toMatchObject({ code: 'SERVICE_BUS_LOCK_UNKNOWN' });
    expect(() => settlements.session(all, 's')).toThrow('0 entities have the session');
    expect(heard).toEqual([]);
  });

  it('I3: a token opens its own message, a session its own receiver, and none when it is not clear which', async () => {
    const settlements = new Settlements();
    const [one, two] = [receiver(), receiver()];
    settlements.hold(one.given, [message('a', 's')], 'shop');
    settlements.hold(two.given, [message('b', 't')], 'shop');
    await settlements.settle(all, 'b', complete);
    expect([one.heard, two.heard]).toEqual([[], ['complete b']]);
    expect(settlements.session(all, 's')).toBe(one.given.session);
    settlements.hold(two.given, [message('c', 's')], 'shop');
    expect(() => settlements.session(all, 's')).toThrow('2 entities have the session');
  });

  it('I4: who asks for an app finds its messages and sessions alone', async () => {
    const settlements = new Settlements();
    const [shop, blog] = [receiver(), receiver()];
    settlements.hold(shop.given, [message('a', 'cart')], 'shop');
    settlements.hold(blog.given, [message('b', 'cart')], 'blog');
    const ofBlog: SettlementScope = { kind: 'app', applicationId: 'blog' };
    await expect(settlements.settle(ofBlog, 'a', complete)).rejects.toMatchObject({ code: 'SERVICE_BUS_LOCK_UNKNOWN' });
    await expect(settlements.renew(ofBlog, 'a')).rejects.toMatchObject({ code: 'SERVICE_BUS_LOCK_UNKNOWN' });
    expect(settlements.session(ofBlog, 'cart')).toBe(blog.given.session);
    await settlements.settle(ofBlog, 'b', complete);
    expect([shop.heard, blog.heard]).toEqual([[], ['complete b']]);
  });
});
