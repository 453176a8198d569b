/** The listener on virtual time, with a channel that the test speaks on. */
import { createDeferred } from '@switchyard/kernel';
import { createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import type { TriggerEvent } from '../contract.ts';
import { createContext } from '../testing/scope.ts';
import { createScriptedInvoke, succeeded } from '../testing/scripted-invoke.ts';
import { textData } from '../typed-data.ts';
import { maxWaiting, RedisChannelListener } from './redis-channel-listener.ts';
import { type RedisService, type RedisSession, toText } from './redis-client.ts';

const { signal } = new AbortController();

const textOf = ({ data }: TriggerEvent): string => (data.data?.$case === 'string' ? data.data.value : '');

function rig() {
  const clock = new VirtualClock(0);
  const log = createMemoryLog(clock);
  const scripted = createScriptedInvoke();
  const radio = {
    say: (_: string): void => {},
    fault: undefined as Error | undefined,
    opened: 0,
    ended: createDeferred<Error>(),
  };
  const open = async (): Promise<RedisSession> => {
    radio.opened += 1;
    if (radio.fault !== undefined) throw radio.fault;
    radio.ended = createDeferred();
    const none = async (): Promise<never> => Promise.reject(new Error('no commands here'));
    return {
      ended: radio.ended.promise,
      command: none,
      transaction: none,
      async subscribe(channel, _, onMessage) {
        radio.say = (text) => onMessage(channel, Buffer.from(text));
      },
      close: async () => {},
    };
  };
  const service: RedisService = { open, shared: open };
  const connection = { host: 'h', port: 1, usesTls: false, user: undefined, password: undefined, database: 0 };
  const base = createContext({ clock, log, random: createSeededRandom(1) });
  const listener = new RedisChannelListener(
    service,
    { connection, channel: 'news', isPattern: false },
    { ...base, invoke: scripted.invoke },
    (_, message) => ({ data: textData(toText(message)), metadata: new Map(), reason: '' }),
  );
  const told = (): string[] => scripted.calls.map(({ event }) => textOf(event));
  const finish = async (): Promise<void> => {
    scripted.calls.at(-1)?.answer.resolve(succeeded());
    await clock.settle();
  };
  return { clock, log, radio, listener, told, finish };
}

describe('RedisChannelListener', () => {
  it('I1: runs one message at a time, in their order', async () => {
    const { clock, radio, listener, told, finish } = rig();
    await listener.start(signal);
    await clock.settle();
    for (const text of ['a', 'b', 'c']) radio.say(text);
    await clock.settle();
    expect(told()).toEqual(['a']);
    await finish();
    expect(told()).toEqual(['a', 'b']);
    await finish();
    await finish();
    radio.say('d');
    await clock.settle();
    expect(told()).toEqual(['a', 'b', 'c', 'd']);
    await clock.runUntil(listener.close());
  });

  it('I2: drops what is too much, and says so once', async () => {
    const { clock, log, radio, listener, told } = rig();
    await listener.start(signal);
    await clock.settle();
    for (let n = 0; n < maxWaiting + 100; n += 1) radio.say(String(n));
    expect(log.records).toHaveLength(1);
    expect(log.records[0]).toMatchObject({ level: 'warning', fields: { channel: 'news', limit: maxWaiting } });
    expect(told()).toEqual(['0']);
    await clock.runUntil(listener.close());
  });

  it('I3: warns once of a server that is away, and subscribes anew', async () => {
    const { clock, log, radio, listener, told } = rig();
    await listener.start(signal);
    await clock.settle();
    radio.fault = new Error('away');
    radio.ended.resolve(new Error('cut'));
    await clock.advance(30_000);
    expect(radio.opened).toBeGreaterThan(3);
    expect(radio.opened).toBeLessThan(9);
    radio.fault = undefined;
    await clock.advance(60_000);
    radio.say('heard');
    await clock.settle();
    expect(told()).toEqual(['heard']);
    expect(log.records.map(({ message }) => message)).toEqual([
      'A channel of Redis cannot be heard; the host tries again',
      'A channel of Redis can be heard again',
    ]);
    await clock.runUntil(listener.close());
  });

  it('I4: drain runs what waits and hears nothing new; close drops it', async () => {
    const { clock, radio, listener, told, finish } = rig();
    await listener.start(signal);
    await clock.settle();
    for (const text of ['a', 'b']) radio.say(text);
    const drained = listener.drain(signal);
    radio.say('late');
    await finish();
    await finish();
    await clock.runUntil(drained);
    expect(told()).toEqual(['a', 'b']);
    const other = rig();
    await other.listener.start(signal);
    await other.clock.settle();
    for (const text of ['x', 'y']) other.radio.say(text);
    await other.clock.runUntil(other.listener.close());
    await other.finish();
    expect(other.told()).toEqual(['x']);
  });
});
