import type { ListenerTriggerKind } from '../contract.ts';
import { jsonData } from '../typed-data.ts';

/** The warm-up trigger: it has no source; `admin/warmup` runs its function once for each host. */
export const warmupTriggerKind: ListenerTriggerKind<null> = {
  style: 'listener',
  type: 'warmupTrigger',
  parse: () => null,
  listen: () => ({ start: async () => {}, drain: async () => {}, close: async () => {} }),
  toManualEvent: async () => ({
    kind: 'event',
    event: { data: jsonData('{}'), metadata: new Map(), reason: 'Warmup triggered' },
  }),
};
