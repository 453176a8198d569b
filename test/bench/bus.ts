/**
 * The embedded event bus and the embedded store, each next to the least that SQLite itself must do for the same number
 * of durable events, in the same run: no window of duplicates, no locks, no filters, no retries.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Bus, openSqliteBus, openSqliteStore } from '@switchyard/control-plane';
import { systemClock, systemRandom } from '@switchyard/kernel';
import { createEventEnvelope, type EventEnvelope, encodeEventEnvelope } from '@switchyard/protocol';
import type { BenchRow } from './bench-row.ts';
import { median } from './statistics.ts';

const rounds = 5;
const topic = 'runtime-events';

/** Events of one round, and how many go together, as the outbox relay sends them. */
const eventCount = 5_000;
const batchSize = 100;

/** Events that are sent one after the other, each awaited. */
const singleCount = 300;

const deadLetterCount = 10_000;

/** Runs the benchmark; takes about 20 seconds. */
export async function benchBus(): Promise<{ readonly rows: readonly BenchRow[]; readonly notes: readonly string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-bench-bus-'));
  try {
    const rows = [
      await compare('publish and consume, 100 at once', eventCount, 'raw SQLite', '>= 0.2x', (file) => ({
        ours: () => carryBatches(`${file}-ours`),
        reference: async () => rawQueue(`${file}-raw`, eventCount, batchSize),
      })),
      await compare('publish, one after the other', singleCount, 'raw SQLite', '>= 0.5x', (file) => ({
        ours: () => publishSingles(`${file}-ours`),
        reference: async () => rawInserts(`${file}-raw`, singleCount),
      })),
      await compare(
        'commit of a document, an inbox row and an event',
        singleCount,
        'raw SQLite',
        '>= 0.5x',
        (file) => ({
          ours: () => commitSingles(`${file}-ours`),
          reference: async () => rawCommits(`${file}-raw`, singleCount),
        }),
      ),
      await compare('replay of 10,000 dead letters', deadLetterCount, 'raw SQLite', 'all in < 1 s', (file) => ({
        ours: () => replay(`${file}-ours`),
        reference: async () => rawMove(`${file}-raw`),
      })),
    ];
    return {
      rows,
      notes: [
        'Every accepted event is on the disk (`synchronous=FULL`), here and in the reference. Beyond it, ours checks the ' +
          'window of duplicates, matches the filters, locks, settles and validates the envelope twice.',
      ],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }

  async function compare(
    name: string,
    count: number,
    against: string,
    target: string,
    make: (file: string) => { ours(): Promise<number>; reference(): Promise<number> },
  ): Promise<BenchRow> {
    const ours: number[] = [];
    const reference: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const run = make(join(folder, `${name.replaceAll(/\W+/g, '-')}-${round}`));
      ours.push(count / (await run.ours()));
      reference.push(count / (await run.reference()));
    }
    const [mine, theirs] = [median(ours), median(reference)];
    return { name, ours: mine, reference: theirs, against, ratio: mine / theirs, unit: 'events/s', target };
  }
}

function sampleEvents(count: number): readonly EventEnvelope[] {
  return Array.from({ length: count }, (_, index) =>
    createEventEnvelope(
      { clock: systemClock, random: systemRandom },
      {
        eventType: 'HealthCheckCompleted',
        tenantId: 'acme',
        environmentId: 'prod',
        subject: `application/app-${index % 50}`,
        source: 'switchyard/health',
        payload: { serviceId: `app-${index % 50}`, status: 'Healthy', probes: [{ kind: 'http', latencyMs: 3 }] },
      },
    ),
  );
}

function openBus(file: string): Bus {
  return openSqliteBus({ clock: systemClock, random: systemRandom, inbox: { forget: async () => {} } }, { file });
}

/** Seconds that `work` takes. */
async function seconds(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1_000;
}

async function carryBatches(file: string): Promise<number> {
  const bus = openBus(file);
  await bus.ensureSubscription({ topic, name: 'health', filter: { eventTypes: ['HealthCheckCompleted'] } });
  const events = sampleEvents(eventCount);
  const receiver = bus.openReceiver(topic, 'health');
  const took = await seconds(async () => {
    for (let start = 0; start < events.length; start += batchSize)
      await bus.publish(
        topic,
        events.slice(start, start + batchSize).map((envelope) => ({ envelope })),
      );
    for (let done = 0; done < eventCount; ) {
      const deliveries = await receiver.receive({ max: batchSize, waitMs: 1_000 });
      await Promise.all(deliveries.map((delivery) => delivery.complete()));
      done += deliveries.length;
    }
  });
  await bus.close();
  return took;
}

async function publishSingles(file: string): Promise<number> {
  const bus = openBus(file);
  await bus.ensureSubscription({ topic, name: 'health' });
  const events = sampleEvents(singleCount);
  const took = await seconds(async () => {
    for (const envelope of events) await bus.publish(topic, [{ envelope }]);
  });
  await bus.close();
  return took;
}

async function commitSingles(file: string): Promise<number> {
  const store = openSqliteStore({ clock: systemClock }, { file });
  const events = sampleEvents(singleCount);
  const took = await seconds(async () => {
    for (const envelope of events)
      await store.commit({
        inbox: { subscription: 'health', eventId: envelope.eventId },
        writes: [
          { kind: 'put', documentKind: 'health', key: envelope.eventId, tenantId: 'acme', value: envelope.payload },
        ],
        events: [{ topic, envelope }],
      });
  });
  await store.close();
  return took;
}

async function replay(file: string): Promise<number> {
  const bus = openBus(file);
  await bus.ensureSubscription({ topic, name: 'health' });
  const events = sampleEvents(deadLetterCount);
  for (let start = 0; start < events.length; start += 1_000)
    await bus.publish(
      topic,
      events.slice(start, start + 1_000).map((envelope) => ({ envelope })),
    );
  const receiver = bus.openReceiver(topic, 'health');
  for (let done = 0; done < deadLetterCount; ) {
    const deliveries = await receiver.receive({ max: 256, waitMs: 1_000 });
    await Promise.all(
      deliveries.map((delivery) => delivery.deadLetter({ reason: 'BENCH', description: 'No reason.' })),
    );
    done += deliveries.length;
  }
  let replayed = 0;
  const took = await seconds(async () => {
    replayed = await bus.deadLetters.replayAll();
  });
  await bus.close();
  if (replayed !== deadLetterCount) throw new Error(`${replayed} of ${deadLetterCount} dead letters were replayed`);
  return took;
}

function openRaw(file: string): DatabaseSync {
  const database = new DatabaseSync(file);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  database.exec('CREATE TABLE queue (position INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT');
  return database;
}

async function rawQueue(file: string, count: number, batch: number): Promise<number> {
  const database = openRaw(file);
  const bodies = sampleEvents(count).map(encodeEventEnvelope);
  const insert = database.prepare('INSERT INTO queue (body) VALUES (?)');
  const first = database.prepare('SELECT position, body FROM queue ORDER BY position LIMIT ?');
  const remove = database.prepare('DELETE FROM queue WHERE position = ?');
  const took = await seconds(() => {
    for (let start = 0; start < count; start += batch) {
      database.exec('BEGIN IMMEDIATE');
      for (const body of bodies.slice(start, start + batch)) insert.run(body);
      database.exec('COMMIT');
    }
    database.exec('PRAGMA synchronous = NORMAL');
    for (let done = 0; done < count; done += batch) {
      database.exec('BEGIN IMMEDIATE');
      for (const { position } of first.all(batch)) remove.run(position ?? 0);
      database.exec('COMMIT');
    }
  });
  database.close();
  return took;
}

async function rawInserts(file: string, count: number): Promise<number> {
  const database = openRaw(file);
  const bodies = sampleEvents(count).map(encodeEventEnvelope);
  const insert = database.prepare('INSERT INTO queue (body) VALUES (?)');
  const took = await seconds(() => {
    for (const body of bodies) insert.run(body);
  });
  database.close();
  return took;
}

async function rawCommits(file: string, count: number): Promise<number> {
  const database = openRaw(file);
  database.exec('CREATE TABLE documents (key TEXT PRIMARY KEY, value TEXT) STRICT, WITHOUT ROWID');
  database.exec('CREATE TABLE inbox (event_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID');
  const events = sampleEvents(count);
  const inbox = database.prepare('INSERT INTO inbox VALUES (?)');
  const document = database.prepare('INSERT INTO documents VALUES (?, ?)');
  const event = database.prepare('INSERT INTO queue (body) VALUES (?)');
  const took = await seconds(() => {
    for (const envelope of events) {
      database.exec('BEGIN IMMEDIATE');
      inbox.run(envelope.eventId);
      document.run(envelope.eventId, JSON.stringify(envelope.payload));
      event.run(encodeEventEnvelope(envelope));
      database.exec('COMMIT');
    }
  });
  database.close();
  return took;
}

/** Ten thousand rows from one table to another, in one statement each way. */
async function rawMove(file: string): Promise<number> {
  const database = openRaw(file);
  database.exec('CREATE TABLE dead (position INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT');
  const insert = database.prepare('INSERT INTO dead (body) VALUES (?)');
  database.exec('BEGIN');
  for (const envelope of sampleEvents(deadLetterCount)) insert.run(encodeEventEnvelope(envelope));
  database.exec('COMMIT');
  const took = await seconds(() => {
    database.exec('BEGIN IMMEDIATE');
    database.exec('INSERT INTO queue (body) SELECT body FROM dead ORDER BY position');
    database.exec('DELETE FROM dead');
    database.exec('COMMIT');
  });
  database.close();
  return took;
}
