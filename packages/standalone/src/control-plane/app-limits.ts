/** The limits of apps, kept in the store of the control plane and in memory: they are asked for all the time. */
import type { Store } from '@switchyard/control-plane';
import type { ServiceLimits } from '@switchyard/protocol/control-api';
import type { AppLimits } from './platform-port.ts';

const kind = 'appLimits';

export interface AppLimitsDeps {
  readonly store: Pick<Store, 'commit' | 'documents'>;
  readonly tenantOf: (applicationId: string) => string | undefined;
  /** Called when the limits of an app have changed. */
  readonly onChange: (applicationId: string, limits: ServiceLimits) => void;
}

/** Limits that one read of the store gives. */
const pageSize = 1_000;

export async function openAppLimits({ store, tenantOf, onChange }: AppLimitsDeps): Promise<AppLimits> {
  const limits = new Map<string, ServiceLimits>();
  let after: string | undefined;
  do {
    const page = await store.documents.list(kind, { limit: pageSize, ...(after === undefined ? {} : { after }) });
    // Written below, and nowhere else.
    for (const { key, value } of page) limits.set(key, value as unknown as ServiceLimits);
    after = page.length === pageSize ? page.at(-1)?.key : undefined;
  } while (after !== undefined);
  return {
    get: (applicationId) => limits.get(applicationId) ?? {},
    async set(applicationId, wanted) {
      const before = limits.get(applicationId);
      if (before !== undefined && isSame(before, wanted)) return;
      const { minReplicas, maxReplicas, concurrency } = wanted;
      const value = { minReplicas, maxReplicas, ...(concurrency === undefined ? {} : { concurrency }) };
      const tenantId = tenantOf(applicationId) ?? '';
      await store.commit({ writes: [{ kind: 'put', documentKind: kind, key: applicationId, tenantId, value }] });
      limits.set(applicationId, value);
      onChange(applicationId, value);
    },
  };
}

function isSame(left: ServiceLimits, right: ServiceLimits): boolean {
  return (
    left.minReplicas === right.minReplicas &&
    left.maxReplicas === right.maxReplicas &&
    left.concurrency === right.concurrency
  );
}
