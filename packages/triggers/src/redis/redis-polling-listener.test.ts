/** The listener on virtual time, with a source that the test fills. */
import { createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import type { InvocationOutcome, TriggerEvent } from '../contract.ts';
import { createContext } from '../testing/scope.ts';
import { createScriptedInvoke, failed, lost, succeeded } from '../testing/scripted-invoke.ts';
import { textData } from '../typed-data.ts';
import { type RedisService, type RedisSession, toText } from './redis-client.ts';
import { RedisPollingListener, type RedisPollingOptions } from './redis-polling-listener.ts';
import { keepMs, type RedisEntry, type RedisSource, type RedisSourceKind } from './redis-source.ts';

const { signal } = new AbortController();

const textOf = ({ data }: TriggerEvent): string => (data.data?.$case === 'string' ? data.data.value : '');

/** A server with one source; it tells what became of the entries. */
class Server implements RedisService {
  readonly waiting: string[] = [];
  readonly heard: string[] = [];
  fault: Error | undefined;
  #count = 0;

  readonly kind: RedisSourceKind = {
    name: 'list orders',
    open: async () => this.#source,
    toEvent: ({ value }) => ({ data: textData(toText(value)), metadata: new Map(), reason: '' }),
    toBatchEvent: (entries) => ({
      data: textData(entries.map(({ value }) => toText(value)).join()),
      metadata: new Map(),
      reason: '',
    }),
  };

  async open(): Promise<RedisSession> {
    this.heard.push('open');
    if (this.fault !== undefined) throw this.fault;
    const close = async (): Promise<void> => void this.heard.push('close');
    const none = async (): Promise<never> => Promise.reject(new Error('no commands here'));
    return { ended: new Promise(() => {}), command: none, transaction: none, subscribe: none, close };
  }

  shared(): Promise<RedisSession> {
    return this.open();
  }

  readonly #source: RedisSource = {
    take: async (count) => {
      if (this.fault !== undefined) throw this.fault;
      return this.waiting.splice(0, count).map((text): RedisEntry => {
        this.#count += 1;
        return { id: String(this.#count), value: Buffer.from(text), losses: 0 };
      });
    },
    done: async (entries) => void this.heard.push(`done ${names(entries)}`),
    keep: async (entries) => void this.heard.push(`keep ${names(entries)}`),
    leave: async (entries) => void this.heard.push(`leave ${names(entries)}`),
    backlog: async () => ({ messageCount: this.waiting.length, oldestMs: undefined }),
  };
}

const names = (entries: readonly RedisEntry[]): string => entries.map(({ value }) => toText(value)).join();

function rig(
  answer?: (event: TriggerEvent, call: number) => InvocationOutcome,
  given: Partial<RedisPollingOptions> = {},
  workerCount?: () => number,
) {
  const clock = new VirtualClock(0);
  const log = createMemoryLog(clock);
  const server = new Server();
  const scripted = createScriptedInvoke(answer);
  const connection = { host: 'h', port: 1, usesTls: false, user: undefined, password: undefined, database: 0 };
  const options = { connection, pollingIntervalMs: 1_000, maxBatchSize: 3, isBatch: false, ...given };
  const base = createContext({ clock, log, random: createSeededRandom(1) });
  const context = { ...base, invoke: scripted.invoke, ...(workerCount && { workerCount }) };
  const listener = new RedisPollingListener(server, server.kind, options, context);
  return { clock, log, server, scripted, listener };
}

const settled = (server: Server): string[] => server.heard.filter((line) => line.startsWith('done'));

describe('RedisPollingListener', () => {
  it('I1: is done with an entry whose function has succeeded or failed', async () => {
    const { clock, server, scripted, listener } = rig((_, call) => (call === 1 ? succeeded() : failed()));
    server.waiting.push('a', 'b');
    await listener.start(signal);
    await clock.settle();
    expect(scripted.calls.map(({ event }) => textOf(event))).toEqual(['a', 'b']);
    expect(settled(server)).toEqual(['done a', 'done b']);
    await clock.runUntil(listener.close());
  });

  it('I1: keeps what no worker could take, and runs it again until one can', async () => {
    const { clock, server, scripted, listener } = rig((_, call) => (call < 20 ? lost('no-worker') : succeeded()));
    server.waiting.push('a');
    await listener.start(signal);
    await clock.advance(18_500);
    expect([scripted.calls.length, settled(server)]).toEqual([19, []]);
    await clock.advance(1_000);
    expect(settled(server)).toEqual(['done a']);
    await clock.runUntil(listener.close());
  });

  it('I1: gives an entry up that takes its worker down five times', async () => {
    const { clock, log, server, scripted, listener } = rig(() => lost('worker-lost'));
    server.waiting.push('a');
    await listener.start(signal);
    await clock.advance(60_000);
    expect(scripted.calls).toHaveLength(5);
    expect(settled(server)).toEqual(['done a']);
    expect(log.withMessage('Entries are given up that took their worker down again and again')).toHaveLength(1);
    await clock.runUntil(listener.close());
  });

  it('I2: takes so many for each worker, full batches at once and others after the interval', async () => {
    let workers = 1;
    const { clock, server, scripted, listener } = rig(succeeded, {}, () => workers);
    server.waiting.push(...'abcdefgh');
    await listener.start(signal);
    await clock.settle();
    expect(scripted.calls).toHaveLength(8);
    workers = 2;
    server.waiting.push(...'ijklmnop');
    await clock.advance(999);
    expect(scripted.calls).toHaveLength(8);
    expect(await listener.backlog()).toEqual({ messageCount: 8, oldestMs: undefined });
    await clock.advance(1);
    expect(scripted.calls).toHaveLength(16);
    await clock.runUntil(listener.close());
  });

  it('I2: gives batches to a function that takes many', async () => {
    const { clock, server, scripted, listener } = rig(succeeded, { isBatch: true });
    server.waiting.push(...'abcd');
    await listener.start(signal);
    await clock.settle();
    expect(scripted.calls.map(({ event }) => textOf(event))).toEqual(['a,b,c', 'd']);
    await clock.runUntil(listener.close());
  });

  it('I3: warns once of a server that is away, and asks later and later', async () => {
    const { clock, log, server, scripted, listener } = rig(succeeded);
    server.fault = new Error('away');
    await listener.start(signal);
    await clock.advance(30_000);
    expect(server.heard.length).toBeGreaterThan(3);
    expect(server.heard.length).toBeLessThan(8);
    server.fault = undefined;
    server.waiting.push('a');
    await clock.advance(60_000);
    expect(scripted.calls).toHaveLength(1);
    expect(log.records.map(({ message }) => message)).toEqual([
      'Entries of Redis cannot be taken; the host tries again',
      'Entries of Redis can be taken again',
    ]);
    await clock.runUntil(listener.close());
  });

  it('I4: tells that it has what runs, for as long as it runs', async () => {
    const { clock, server, scripted, listener } = rig();
    server.waiting.push('a', 'b');
    await listener.start(signal);
    await clock.advance(2 * keepMs);
    expect(server.heard).toEqual(['open', 'keep a,b', 'keep a,b']);
    scripted.calls[0]?.answer.resolve(succeeded());
    await clock.advance(keepMs);
    expect(server.heard.slice(3)).toEqual(['done a', 'keep b']);
    await clock.runUntil(listener.close());
    expect(server.heard).toContain('leave b');
  });

  it('I5: drain waits for what runs and leaves the rest; close waits for nothing', async () => {
    const { clock, server, scripted, listener } = rig();
    server.waiting.push(...'abcd');
    await listener.start(signal);
    await clock.settle();
    const drained = listener.drain(signal);
    await clock.advance(5_000);
    expect(server.heard).not.toContain('close');
    const outcomes = [succeeded(), failed(), lost('stopping')];
    for (const [at, { answer }] of scripted.calls.entries()) answer.resolve(outcomes[at] ?? succeeded());
    await clock.runUntil(drained);
    expect(server.heard.slice(1)).toEqual(['done a', 'done b', 'leave c', 'close']);
    expect(server.waiting).toEqual(['d']);
    const other = rig();
    other.server.waiting.push('x');
    await other.listener.start(signal);
    await other.clock.settle();
    await other.clock.runUntil(other.listener.close());
    expect(other.server.heard.slice(1)).toEqual(['leave x', 'close']);
  });
});
