import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret, systemClock } from '@switchyard/kernel';
import { createSeededRandom } from '@switchyard/testkit';
import { openAmqpPeer } from '@switchyard/testkit/amqp';
import { expect, it } from 'vitest';
import { openBus } from './open-bus.ts';

const deps = { clock: systemClock, random: createSeededRandom(1), inbox: { forget: async () => {} } };

it('opens the embedded bus, which is there again after a restart', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-open-'));
  const choice = { kind: 'sqlite', file: join(folder, 'deeper', 'bus.db') } as const;
  const first = await openBus(deps, choice);
  await first.ensureSubscription({ topic: 'topic', name: 'sub' });
  await first.close();
  const second = await openBus(deps, choice);
  expect(await second.depths()).toEqual([{ topic: 'topic', subscription: 'sub', queued: 0, deadLetters: 0 }]);
  await second.close();
  rmSync(folder, { recursive: true });
});

it('opens Service Bus with entities that somebody else made', async () => {
  const peer = await openAmqpPeer();
  peer.declareSubscription('topic', 'sub');
  const connectionString = new Secret(peer.connectionString);
  const bus = await openBus(deps, { kind: 'serviceBus', connectionString, entities: 'present' });
  await bus.ensureSubscription({ topic: 'topic', name: 'sub' });
  // Its rules are ours nevertheless: what is for another subscription does not pass them.
  expect([...peer.declareSubscription('topic', 'sub').rules.keys()]).not.toContain('$Default');
  await bus.close();
  await peer.close();
});

it('says that NATS is not there', async () => {
  const failed = await openBus(deps, { kind: 'nats', servers: ['nats://127.0.0.1:1'] }).catch(String);
  expect(failed).toMatch(/The event bus on NATS did not do what was asked/);
});
