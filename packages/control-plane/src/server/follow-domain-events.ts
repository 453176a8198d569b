/** The events of the control plane as they are told: those of this process at once, those of others soon. */
import { type Clock, createDeferred } from '@switchyard/kernel';
import type { EventQuery, OutboxRecord, Store } from '../store/contract.ts';

/** How often to look for what other processes told. */
const pollMs = 1_000;

/** Events of one look. */
const pageSize = 200;

export async function* followEvents(
  { store, clock }: { readonly store: Pick<Store, 'events' | 'outbox'>; readonly clock: Clock },
  { query, after }: { readonly query: EventQuery; readonly after: number | undefined },
  signal: AbortSignal,
): AsyncGenerator<OutboxRecord, void, undefined> {
  let wake = createDeferred<void>();
  const onNews = (): void => wake.resolve();
  const leave = store.outbox.watch(onNews);
  signal.addEventListener('abort', onNews, { once: true });
  try {
    const [newest] = after === undefined ? await store.events.list({ newestFirst: true, limit: 1 }) : [];
    let seen = after ?? newest?.sequence ?? 0;
    while (!signal.aborted) {
      const found = await store.events.list({ ...query, after: seen, limit: pageSize });
      for (const record of found) {
        seen = record.sequence;
        yield record;
      }
      if (found.length === pageSize) continue;
      const timer = clock.schedule(pollMs, onNews);
      await wake.promise;
      timer.cancel();
      wake = createDeferred<void>();
    }
  } finally {
    leave();
    signal.removeEventListener('abort', onNews);
  }
}
