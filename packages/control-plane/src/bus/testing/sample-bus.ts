/** An embedded bus on virtual time, in memory or in a file, for tests of what stands on it. */
import { createEventEnvelope, type EventDraft, type EventEnvelope } from '@switchyard/protocol';
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import type { Bus } from '../contract.ts';
import { openSqliteBus, type SqliteBusOptions } from '../sqlite/sqlite-bus.ts';

export interface SampleBus {
  readonly clock: VirtualClock;
  readonly bus: Bus;
  event(draft?: Partial<EventDraft>): EventEnvelope;
  /** Publishes to `topic`, and waits until it is taken. */
  publish(...envelopes: readonly EventEnvelope[]): Promise<void>;
}

export const topic = 'topic';

export function openSampleBus(options: Partial<SqliteBusOptions> = {}, clock = new VirtualClock()): SampleBus {
  const random = createSeededRandom(11);
  const inbox = { forget: async () => {} };
  const bus = openSqliteBus({ clock, random, inbox }, { file: ':memory:', ...options });
  return {
    clock,
    bus,
    event: (draft = {}) =>
      createEventEnvelope(
        { clock, random },
        { eventType: 'ThingHappened', tenantId: 'acme', source: 'test', payload: null, ...draft },
      ),
    publish: async (...envelopes) => {
      await bus.publish(
        topic,
        envelopes.map((envelope) => ({ envelope })),
      );
    },
  };
}
