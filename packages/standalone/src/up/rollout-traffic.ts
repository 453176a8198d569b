/**
 * How roll-outs have the traffic shared: they ask the control plane, as people do. It is opened after them, so the first
 * request of a roll-out that goes on from before waits for it.
 */
import { type AppRequests, type Catalog, domainErrors } from '@switchyard/control-plane';
import { createDeferred } from '@switchyard/kernel';
import type { RolloutTraffic } from '@switchyard/scale-controller';

export interface RolloutTrafficParts {
  readonly traffic: RolloutTraffic;
  /** From now on requests go there. */
  open(requests: AppRequests): void;
  /** Nobody waits for an answer any more; what was asked for goes on. */
  close(): void;
}

export function createRolloutTraffic(catalog: Pick<Catalog, 'applications' | 'traffic'>): RolloutTrafficParts {
  const opened = createDeferred<AppRequests>();
  const closing = new AbortController();
  return {
    traffic: {
      get: (applicationId) => catalog.traffic.get(applicationId),
      async set(applicationId, { by, ...change }) {
        const requests = await opened.promise;
        const application = catalog.applications.get(applicationId);
        if (application === undefined) throw domainErrors.create('RECORD_UNKNOWN', { kind: 'app', id: applicationId });
        const request = { ...change, ...(by.trace === undefined ? {} : { trace: by.trace }) };
        const outcome = await requests.shareTraffic(application, request, by, closing.signal);
        if (outcome.kind === 'refused') throw outcome.error;
        return outcome.value;
      },
    },
    open: (requests) => opened.resolve(requests),
    close: () => closing.abort(),
  };
}
