/** The contract of `Store`, run on every adapter: S1... are those of contract.ts. */
import { createEventEnvelope, type EventEnvelope, type JsonValue } from '@switchyard/protocol';
import { createSeededRandom, type VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommitOutcome, DocumentWrite, Quotas, Store } from '../contract.ts';

/** An empty store, which others on the same data may join. */
export interface OpenedStore {
  readonly store: Store;
  readonly clock: VirtualClock;
  /** Another store on the same data, as another process has it; closed with this one. */
  join(): Promise<Store>;
  close(): Promise<void>;
}

export type OpenStore = (options?: { readonly quotas?: Quotas }) => Promise<OpenedStore>;

const random = createSeededRandom(3);

/** An event for the outbox. */
export function sampleEvent(clock: VirtualClock, changes: Partial<EventEnvelope> = {}): EventEnvelope {
  const draft = { eventType: 'ThingHappened', tenantId: 'acme', source: 'test', payload: { a: 1 } };
  return { ...createEventEnvelope({ clock, random }, draft), ...changes };
}

export function put(key: string, value: JsonValue, expectedRevision?: number): DocumentWrite {
  const base = { kind: 'put', documentKind: 'thing', key, tenantId: 'acme', value } as const;
  return expectedRevision === undefined ? base : { ...base, expectedRevision };
}

/** Declares the tests of one adapter. */
export function describeStoreContract(name: string, open: OpenStore): void {
  describe(`${name} keeps the Store contract`, () => {
    let opened: OpenedStore;
    beforeEach(async () => {
      opened = await open({ quotas: { limited: 2 } });
    });
    afterEach(() => opened.close());
    describeDocuments(() => opened);
    describeAtomicity(() => opened);
    describeLeases(() => opened);
    describeOutbox(() => opened);
    describeTrails(() => opened);
    describeModel(() => opened);
  });
}

function describeDocuments(opened: () => OpenedStore): void {
  it('S2: a document is written at the revision that was read, or not at all', async () => {
    const { store } = opened();
    expect(await store.commit({ writes: [put('a', { n: 1 }, 0)] })).toEqual({ kind: 'committed', revisions: [1] });
    const conflict = await store.commit({ writes: [put('a', { n: 2 }, 0)] });
    expect(conflict).toEqual({ kind: 'conflict', documentKind: 'thing', key: 'a', expected: 0, found: 1 });
    expect(await store.commit({ writes: [put('a', { n: 3 }, 1)] })).toEqual({ kind: 'committed', revisions: [2] });
    expect(await store.commit({ writes: [put('a', { n: 4 })] })).toEqual({ kind: 'committed', revisions: [3] });
    expect(await store.documents.get('thing', 'a')).toMatchObject({ revision: 3, value: { n: 4 }, tenantId: 'acme' });
    const removal: DocumentWrite = { kind: 'remove', documentKind: 'thing', key: 'a', expectedRevision: 2 };
    expect(await store.commit({ writes: [removal] })).toMatchObject({ kind: 'conflict', found: 3 });
    const gone = await store.commit({ writes: [{ ...removal, expectedRevision: 3 }] });
    expect(gone).toEqual({ kind: 'committed', revisions: [0] });
    expect(await store.documents.get('thing', 'a')).toBeUndefined();
  });

  it('keeps any JSON, and when it was made and changed', async () => {
    const { store, clock } = opened();
    const value: JsonValue = JSON.parse('{"__proto__":{"x":1},"ü":"\\u2028\\ud83d\\ude00","n":[1.5e-7,null,true,""]}');
    await store.commit({ writes: [put('a', value)] });
    const createdAtMs = clock.now();
    await clock.advance(1_000);
    await store.commit({ writes: [{ ...put('a', value), expiresAtMs: 99 } as DocumentWrite] });
    const document = await store.documents.get('thing', 'a');
    expect(JSON.stringify(document?.value)).toBe(JSON.stringify(value));
    expect(document).toMatchObject({ createdAtMs, updatedAtMs: createdAtMs + 1_000, expiresAtMs: 99 });
  });

  it('lists by kind, tenant and beginning of the key, in order and page by page', async () => {
    const { store } = opened();
    const keys = ['a/1', 'a/2', 'a/3', 'a0', 'b/1', 'A', 'a/\u{10fffd}'];
    await store.commit({ writes: keys.map((key) => put(key, null)) });
    await store.commit({ writes: [{ ...put('a/other', 1), tenantId: 'other' } as DocumentWrite] });
    const list = async (query: object): Promise<string[]> =>
      (await store.documents.list('thing', query)).map(({ key }) => key);
    expect(await list({ tenantId: 'acme', keyPrefix: 'a/' })).toEqual(['a/1', 'a/2', 'a/3', 'a/\u{10fffd}']);
    expect(await list({ tenantId: 'other' })).toEqual(['a/other']);
    expect(await list({ limit: 2 })).toEqual(['A', 'a/1']);
    expect(await list({ limit: 2, after: 'a/1' })).toEqual(['a/2', 'a/3']);
    expect(await list({ keyPrefix: '%' })).toEqual([]);
    expect(await store.documents.count('thing', { keyPrefix: 'a' })).toBe(6);
    expect(await store.documents.count('thing', { tenantId: 'acme' })).toBe(7);
    expect(await store.documents.count('nothing')).toBe(0);
  });

  it('gives a tenant as many documents of a kind as it may have, and says so', async () => {
    const { store } = opened();
    const limited = (key: string, tenantId = 'acme'): DocumentWrite => {
      return { kind: 'put', documentKind: 'limited', key, tenantId, value: 1 };
    };
    await store.commit({ writes: [limited('a')] });
    const refused = await store.commit({ writes: [limited('b'), limited('c'), put('beside', 1)] });
    expect(refused).toEqual({ kind: 'quotaExceeded', documentKind: 'limited', tenantId: 'acme', limit: 2 });
    expect(await store.documents.get('thing', 'beside')).toBeUndefined();
    expect((await store.commit({ writes: [limited('b'), limited('a')] })).kind).toBe('committed');
    expect((await store.commit({ writes: [limited('c', 'other')] })).kind).toBe('committed');
  });

  it('refuses what it cannot keep, and says why', async () => {
    const { store } = opened();
    const large = put('large', 'x'.repeat(1024 * 1024));
    await expect(store.commit({ writes: [large] })).rejects.toThrow(/The thing 'large' has 1048578 bytes/);
    await expect(store.commit({ writes: [put('a', 1), put('a', 2)] })).rejects.toThrow(/names the thing 'a' twice/);
    await expect(store.commit({ writes: [put('nul\0', 1)] })).rejects.toThrow(/the key 'nul.*' must have/);
    expect(await store.documents.count('thing')).toBe(0);
  });
}

function describeAtomicity(opened: () => OpenedStore): void {
  it('S1, S2: what is refused leaves nothing behind: no document, event, inbox row or audit entry', async () => {
    const { store, clock } = opened();
    await store.commit({ writes: [put('taken', 1)] });
    const envelope = sampleEvent(clock);
    const inbox = { subscription: 'sub', eventId: 'evt-1' };
    const audit = [{ actor: 'me', tenantId: 'acme', action: 'Do', target: 'x', outcome: 'succeeded' } as const];
    const events = [{ topic: 'topic', envelope }];
    const outcome = await store.commit({ inbox, audit, events, writes: [put('new', 1), put('taken', 2, 0)] });
    expect(outcome.kind).toBe('conflict');
    expect(await store.documents.get('thing', 'new')).toBeUndefined();
    expect(await store.inbox.has('sub', 'evt-1')).toBe(false);
    expect(await store.outbox.pending(10)).toEqual([]);
    expect(await store.audit.list()).toEqual([]);
    const check: DocumentWrite = { kind: 'check', documentKind: 'thing', key: 'taken', expectedRevision: 1 };
    expect((await store.commit({ inbox, audit, events, writes: [put('new', 1), check] })).kind).toBe('committed');
    expect(await store.inbox.has('sub', 'evt-1')).toBe(true);
    expect((await store.outbox.pending(10)).map((record) => record.envelope)).toEqual([envelope]);
    expect(await store.audit.list()).toHaveLength(1);
  });

  it('S3: an event is handled once for each subscription, until it is forgotten', async () => {
    const { store } = opened();
    const inbox = { subscription: 'sub', eventId: 'evt-1' };
    expect((await store.commit({ inbox, writes: [put('count', 1)] })).kind).toBe('committed');
    expect(await store.commit({ inbox, writes: [put('count', 2)] })).toEqual({ kind: 'duplicate' });
    expect((await store.commit({ inbox: { ...inbox, subscription: 'other' } })).kind).toBe('committed');
    expect((await store.documents.get('thing', 'count'))?.value).toBe(1);
    await store.inbox.forget('sub', ['evt-1', 'evt-unknown']);
    expect((await store.commit({ inbox, writes: [put('count', 3)] })).kind).toBe('committed');
    expect(await store.inbox.has('other', 'evt-1')).toBe(true);
  });

  it('S2, S3: of two that commit at once on the same data, one succeeds', async () => {
    const { store, join } = opened();
    const other = await join();
    for (let round = 0; round < 10; round += 1) {
      const inbox = { subscription: 'sub', eventId: `evt-${round}` };
      const outcomes = await Promise.all(
        [store, other, store, other].map((each, index) => each.commit({ inbox, writes: [put(`k${round}`, index, 0)] })),
      );
      const kinds = outcomes.map(({ kind }) => kind).sort();
      expect(kinds.filter((kind) => kind === 'committed')).toHaveLength(1);
      expect(kinds.filter((kind) => kind === 'duplicate' || kind === 'conflict')).toHaveLength(3);
    }
    await store.commit({ writes: [put('counter', 0)] });
    const add = async (each: Store): Promise<void> => {
      for (;;) {
        const document = await each.documents.get<number>('thing', 'counter');
        const next = put('counter', (document?.value ?? 0) + 1, document?.revision ?? 0);
        if ((await each.commit({ writes: [next] })).kind === 'committed') return;
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, index) => add(index % 2 === 0 ? store : other)));
    expect((await other.documents.get('thing', 'counter'))?.value).toBe(20);
  });
}

function describeLeases(opened: () => OpenedStore): void {
  it('S5: a lease is held by one at a time, and its tokens grow', async () => {
    const { store, clock, join } = opened();
    const other = await join();
    const first = await store.leases.acquire('app-1', 'here', 10_000);
    if (first.kind !== 'held') throw new Error(first.kind);
    expect(first.lease).toMatchObject({ name: 'app-1', holder: 'here', expiresAtMs: clock.now() + 10_000 });
    const taken = await other.leases.acquire('app-1', 'there', 10_000);
    expect(taken).toEqual({ kind: 'taken', holder: 'here', expiresAtMs: first.lease.expiresAtMs });
    expect((await other.leases.acquire('app-2', 'there', 10_000)).kind).toBe('held');
    await clock.advance(6_000);
    const renewed = await store.leases.renew(first.lease, 10_000);
    expect(renewed).toEqual({ ...first.lease, expiresAtMs: clock.now() + 10_000 });
    await clock.advance(6_000);
    expect((await other.leases.acquire('app-1', 'there', 10_000)).kind).toBe('taken');
    await clock.advance(4_000);
    const second = await other.leases.acquire('app-1', 'there', 10_000);
    if (second.kind !== 'held') throw new Error(second.kind);
    expect(second.lease.token).toBeGreaterThan(first.lease.token);
    expect(await store.leases.renew(first.lease, 10_000)).toBeUndefined();
    expect(await store.leases.release(first.lease)).toBe(false);
    expect(await other.leases.release(second.lease)).toBe(true);
    const third = await store.leases.acquire('app-1', 'here', 10_000);
    if (third.kind !== 'held') throw new Error(third.kind);
    expect(third.lease.token).toBeGreaterThan(second.lease.token);
  });

  it('S4: the write of a holder that was paused is refused once somebody else has the lease', async () => {
    const { store, clock, join } = opened();
    const other = await join();
    const paused = await store.leases.acquire('app-1', 'paused', 5_000);
    if (paused.kind !== 'held') throw new Error(paused.kind);
    expect((await store.commit({ fence: paused.lease, writes: [put('state', 'paused')] })).kind).toBe('committed');
    await clock.advance(5_001);
    const next = await other.leases.acquire('app-1', 'next', 5_000);
    if (next.kind !== 'held') throw new Error(next.kind);
    expect((await other.commit({ fence: next.lease, writes: [put('state', 'next')] })).kind).toBe('committed');
    const late = await store.commit({
      fence: paused.lease,
      writes: [put('state', 'late')],
      events: [{ topic: 'topic', envelope: sampleEvent(clock) }],
    });
    expect(late).toEqual({
      kind: 'fenced',
      name: 'app-1',
      token: paused.lease.token,
      current: next.lease.token,
    });
    expect((await store.documents.get('thing', 'state'))?.value).toBe('next');
    expect(await store.outbox.pending(10)).toEqual([]);
    await other.leases.release(next.lease);
    expect((await other.commit({ fence: next.lease, writes: [put('state', 'x')] })).kind).toBe('fenced');
    expect((await other.commit({ fence: { name: 'never', token: 1 }, writes: [] })).kind).toBe('fenced');
  });

  it('S5: of many that ask at once, one gets the lease', async () => {
    const { store, join } = opened();
    const other = await join();
    const asks = Array.from({ length: 12 }, (_, index) =>
      (index % 2 === 0 ? store : other).leases.acquire('app', `holder-${index}`, 10_000),
    );
    const kinds = (await Promise.all(asks)).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'held')).toHaveLength(1);
  });
}

function describeOutbox(opened: () => OpenedStore): void {
  it('S6: the outbox gives its events in the order of the commits, until they are sent', async () => {
    const { store, clock } = opened();
    const envelopes = Array.from({ length: 5 }, () => sampleEvent(clock));
    let told = 0;
    const unwatch = store.outbox.watch(() => {
      told += 1;
    });
    for (const envelope of envelopes)
      await store.commit({ events: [{ topic: 'topic', envelope, orderingKey: 'k', notBeforeMs: 5 }] });
    await store.commit({ writes: [put('a', 1)] });
    unwatch();
    await store.commit({ events: [{ topic: 'other', envelope: sampleEvent(clock) }] });
    expect(told).toBe(5);
    const first = await store.outbox.pending(3);
    expect(first.map(({ envelope }) => envelope)).toEqual(envelopes.slice(0, 3));
    expect(first[0]).toMatchObject({ topic: 'topic', orderingKey: 'k', notBeforeMs: 5, committedAtMs: clock.now() });
    await store.outbox.markSent(first.slice(0, 2).map(({ sequence }) => sequence));
    await store.outbox.markSent([]);
    const rest = await store.outbox.pending(10);
    expect(rest.map(({ envelope }) => envelope.eventId)).toEqual([
      ...envelopes.slice(2).map(({ eventId }) => eventId),
      rest.at(-1)?.envelope.eventId,
    ]);
    expect(rest).toHaveLength(4);
    expect(rest.at(-1)?.orderingKey).toBeUndefined();
  });

  it('keeps the events as a journal, to be found by what they are', async () => {
    const { store, clock } = opened();
    const one = sampleEvent(clock, { eventType: 'One', environmentId: 'prod' });
    const two = sampleEvent(clock, { eventType: 'Two', tenantId: 'other', correlationId: one.correlationId });
    await store.commit({ events: [one, two].map((envelope) => ({ topic: 'topic', envelope })) });
    const sequences = (await store.outbox.pending(10)).map(({ sequence }) => sequence);
    await store.outbox.markSent(sequences);
    const types = async (query: object): Promise<string[]> =>
      (await store.events.list(query)).map(({ envelope }) => envelope.eventType);
    expect(await types({})).toEqual(['One', 'Two']);
    expect(await types({ newestFirst: true, limit: 1 })).toEqual(['Two']);
    expect(await types({ after: sequences[0] })).toEqual(['Two']);
    expect(await types({ correlationId: one.correlationId, tenantId: 'acme' })).toEqual(['One']);
    expect(await types({ environmentId: 'prod' })).toEqual(['One']);
    expect(await types({ eventType: 'Two' })).toEqual(['Two']);
    expect(await types({ eventId: two.eventId, traceId: two.traceId })).toEqual(['Two']);
    expect((await store.events.list({ limit: 1 }))[0]?.sentAtMs).toBe(clock.now());
  });
}

function describeTrails(opened: () => OpenedStore): void {
  it('tells who did what, newest first', async () => {
    const { store, clock } = opened();
    const entry = { actor: 'ann', tenantId: 'acme', action: 'Deploy', target: 'app/1', outcome: 'succeeded' } as const;
    await store.commit({ audit: [{ ...entry, correlationId: 'cor', detail: { from: 'v1' } }] });
    await store.commit({ audit: [{ ...entry, actor: 'worker/drift', outcome: 'refused', eventId: 'evt-1' }] });
    await store.commit({ audit: [{ ...entry, tenantId: 'other', target: 'app/2' }] });
    const all = await store.audit.list();
    expect(all.map(({ target, actor }) => [target, actor])).toEqual([
      ['app/2', 'ann'],
      ['app/1', 'worker/drift'],
      ['app/1', 'ann'],
    ]);
    expect(all[2]).toMatchObject({ ...entry, correlationId: 'cor', detail: { from: 'v1' }, atMs: clock.now() });
    expect(await store.audit.list({ actor: 'ann', tenantId: 'acme' })).toHaveLength(1);
    expect(await store.audit.list({ target: 'app/1', action: 'Deploy' })).toHaveLength(2);
    expect(await store.audit.list({ correlationId: 'cor' })).toHaveLength(1);
    expect(await store.audit.list({ before: all[1]?.sequence ?? 0 })).toHaveLength(1);
    expect(await store.audit.list({ limit: 1 })).toEqual([all[0]]);
  });

  it('removes what outstayed its time, and nothing else', async () => {
    const { store, clock } = opened();
    const startMs = clock.now();
    const expiring = { ...put('old', 1), expiresAtMs: startMs + 100 } as DocumentWrite;
    const audit = [{ actor: 'a', tenantId: 't', action: 'Do', target: 'x', outcome: 'failed' } as const];
    const events = [{ topic: 'topic', envelope: sampleEvent(clock) }];
    const inbox = { subscription: 'sub', eventId: 'old' };
    await store.commit({ writes: [expiring, put('stays', 1)], audit, events, inbox });
    await store.commit({ events: [{ topic: 'topic', envelope: sampleEvent(clock) }] });
    const [sent] = await store.outbox.pending(1);
    await store.outbox.markSent([sent?.sequence ?? 0]);
    const policy = { inboxMs: 1_000, eventsMs: 2_000, auditMs: 3_000 };
    await clock.advance(1_000);
    expect(await store.sweep(policy)).toEqual({ documents: 1, inbox: 1, events: 0, audit: 0 });
    await clock.advance(1_000);
    expect(await store.sweep(policy)).toEqual({ documents: 0, inbox: 0, events: 1, audit: 0 });
    await clock.advance(1_000);
    expect(await store.sweep(policy)).toEqual({ documents: 0, inbox: 0, events: 0, audit: 1 });
    expect(await store.documents.get('thing', 'stays')).toBeDefined();
    // What was never sent stays for good.
    expect(await store.outbox.pending(10)).toHaveLength(1);
  });
}

/** One step of a random run. */
const step = fc.record({
  key: fc.constantFrom('a', 'b', 'c'),
  kind: fc.constantFrom('put' as const, 'remove' as const, 'check' as const),
  /** What the writer believes, as a distance from the truth; undefined: it does not care. */
  offset: fc.constantFrom(undefined, 0, 0, 0, 1, -1),
  eventId: fc.constantFrom(undefined, 'e1', 'e2', 'e3'),
});

function describeModel(opened: () => OpenedStore): void {
  it('S2, S3, S7: any run of commits ends as a plain map says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const { store, join } = opened();
        const model = new Map<string, number>();
        const had = new Set<string>();
        await reset(store);
        for (const { key, kind, offset, eventId } of steps) {
          const found = model.get(key) ?? 0;
          const expectedRevision = offset === undefined ? undefined : Math.max(0, found + offset);
          const expected = kind === 'check' ? (expectedRevision ?? found) : expectedRevision;
          const write = toWrite(kind, key, expected);
          const outcome = await store.commit({
            writes: [write],
            ...(eventId === undefined ? {} : { inbox: { subscription: 'model', eventId } }),
          });
          expect(outcome.kind).toBe(apply(model, had, { key, kind, found, expected, eventId }));
        }
        const seen = await (await join()).documents.list('model');
        expect(seen.map(({ key, revision }) => [key, revision])).toEqual([...model].sort());
      }),
      { numRuns: 15 },
    );
  });
}

function toWrite(kind: DocumentWrite['kind'], key: string, expected: number | undefined): DocumentWrite {
  const common = { documentKind: 'model', key, ...(expected === undefined ? {} : { expectedRevision: expected }) };
  if (kind === 'put') return { kind, ...common, tenantId: 'acme', value: key };
  return kind === 'remove' ? { kind, ...common } : { kind, ...common, expectedRevision: expected ?? 0 };
}

interface ModelStep {
  readonly key: string;
  readonly kind: DocumentWrite['kind'];
  readonly found: number;
  readonly expected: number | undefined;
  readonly eventId: string | undefined;
}

function apply(
  model: Map<string, number>,
  had: Set<string>,
  { key, kind, found, expected, eventId }: ModelStep,
): CommitOutcome['kind'] {
  if (eventId !== undefined && had.has(eventId)) return 'duplicate';
  if (expected !== undefined && expected !== found) return 'conflict';
  if (eventId !== undefined) had.add(eventId);
  if (kind === 'put') model.set(key, found + 1);
  if (kind === 'remove') model.delete(key);
  return 'committed';
}

async function reset(store: Store): Promise<void> {
  await store.inbox.forget('model', ['e1', 'e2', 'e3']);
  for (const key of ['a', 'b', 'c']) await store.commit({ writes: [{ kind: 'remove', documentKind: 'model', key }] });
}
