/**
 * Publishes events to an embedded bus until it is killed, and writes a line for each that was accepted. For tests of what
 * a killed process leaves.
 *
 *     node --conditions=switchyard-source publishing-process.ts <file>
 */
import { systemClock, systemRandom } from '@switchyard/kernel';
import { createEventEnvelope } from '@switchyard/protocol';
import { openSqliteBus } from '../sqlite/sqlite-bus.ts';

const deps = { clock: systemClock, random: systemRandom };
const bus = openSqliteBus({ ...deps, inbox: { forget: async () => {} } }, { file: process.argv[2] ?? '' });
await bus.ensureSubscription({ topic: 'topic', name: 'sub' });
for (;;) {
  const draft = { eventType: 'ThingHappened', tenantId: 'acme', source: 'test', payload: 'x'.repeat(500) };
  const envelopes = Array.from({ length: 5 }, () => createEventEnvelope(deps, draft));
  await bus.publish(
    'topic',
    envelopes.map((envelope) => ({ envelope })),
  );
  // One write of the system, so that the reader never sees half of what was accepted.
  process.stdout.write(envelopes.map(({ eventId }) => `${eventId}\n`).join(''));
}
