import { VirtualClock } from '@switchyard/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { put } from '../domain/records.ts';
import { retentionMs } from '../domain/retention.ts';
import type { Store } from '../store/contract.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { describeState, sampleDeployment, sampleEvent } from '../testing/state-contract.ts';
import { controlTopic, createStoreState } from './store-state.ts';

const opened: Store[] = [];
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
});

function open() {
  const clock = new VirtualClock();
  const store = openSqliteStore({ clock }, { file: ':memory:' });
  opened.push(store);
  return { clock, store, state: createStoreState({ store, clock }) };
}

describe('createStoreState', () => {
  describeState(async () => {
    const { clock, state } = open();
    return { state, advance: (ms) => clock.advance(ms) };
  });

  it('puts events into the outbox, in order for what they are about', async () => {
    const { store, state } = open();
    await state.commit({ puts: [], removes: [], events: [sampleEvent()] });
    expect(await store.outbox.pending(10)).toMatchObject([
      { topic: controlTopic, orderingKey: 'acme.default/shop', envelope: { eventId: 'evt-1' } },
    ]);
  });

  it('lets what is over go after its time', async () => {
    const { clock, store, state } = open();
    const finished = sampleDeployment('shop', { state: 'completed', finishedAt: 5 });
    await state.commit({ puts: [put('deployment', finished)], removes: [], events: [] });
    await state.commit({ puts: [put('deployment', sampleDeployment('stock'))], removes: [], events: [] });
    await clock.advance(retentionMs.deployment + 1);
    await store.sweep({ inboxMs: 1, eventsMs: 1, auditMs: 1 });
    expect((await state.list('deployment')).map(({ serviceId }) => serviceId)).toEqual(['stock']);
  });

  it('reads more than a page', async () => {
    const { state } = open();
    for (let first = 0; first < 2_500; first += 500) {
      const puts = Array.from({ length: 500 }, (_, at) => put('deployment', sampleDeployment(`s${first + at}`)));
      await state.commit({ puts, removes: [], events: [] });
    }
    expect(await state.list('deployment', { tenantId: 'acme' })).toHaveLength(2_500);
  });
});
