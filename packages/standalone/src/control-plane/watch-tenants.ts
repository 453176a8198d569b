/** Every tenant that has an app has its default environment. */
import {
  type Catalog,
  type ControlPlane,
  createDefaultEnvironment,
  defaultEnvironmentId,
} from '@switchyard/control-plane';
import { type Log, messageOf } from '@switchyard/kernel';

export interface TenantWatch {
  /** Resolves when the tenant has its default environment. */
  ensure(tenantId: string): Promise<void>;
  stop(): void;
}

export function watchTenants({ log }: { readonly log: Log }, catalog: Catalog, { state }: ControlPlane): TenantWatch {
  const ensured = new Map<string, Promise<void>>();
  const make = async (tenantId: string): Promise<void> => {
    if ((await state.get('environment', defaultEnvironmentId(tenantId))) !== undefined) return;
    await state.commit({ puts: createDefaultEnvironment(tenantId), removes: [], events: [] });
  };
  const ensure = (tenantId: string): Promise<void> => {
    const known = ensured.get(tenantId) ?? make(tenantId);
    ensured.set(tenantId, known);
    known.catch((error: unknown) => {
      ensured.delete(tenantId);
      log.write('warning', 'A tenant has no environment yet', { tenantId, reason: messageOf(error) });
    });
    return known;
  };
  const stop = catalog.watch((applicationId) => {
    const tenantId = catalog.applications.get(applicationId)?.tenantId;
    // What goes wrong is logged above, and tried again with the next change.
    if (tenantId !== undefined) ensure(tenantId).catch(() => {});
  });
  return { ensure, stop };
}
