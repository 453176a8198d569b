/** What people have said of scale: the owners of apps, and whoever grants tenants their quotas. */
import {
  type AppScaleView,
  appScaleSchema,
  type TenantQuota,
  tenantQuotaSchema,
} from '@switchyard/protocol/control-api';
import { type KeptDocuments, type KeptDocumentsDeps, openKeptDocuments } from './kept-documents.ts';

export interface SaidOfScale {
  /** By app. */
  readonly scales: KeptDocuments<AppScaleView>;
  /** By tenant. */
  readonly quotas: KeptDocuments<TenantQuota>;
  /** Apps that keep workers also when they sleep. */
  keepers(): readonly string[];
  close(): void;
}

/** Reads the store. Rejects when it cannot be read. */
export async function openSaidOfScale(deps: KeptDocumentsDeps): Promise<SaidOfScale> {
  const scales = await openKeptDocuments<AppScaleView>(deps, {
    kind: 'scale',
    schema: appScaleSchema,
    nothing: {},
    nameOf: (key) => `scale of app '${key}'`,
  });
  const quotas = await openKeptDocuments<TenantQuota>(deps, {
    kind: 'quota',
    schema: tenantQuotaSchema,
    nothing: {},
    nameOf: (key) => `quota of tenant '${key}'`,
  });
  return {
    scales,
    quotas,
    keepers: () => [...scales.all].filter(([, { body }]) => (body.alwaysReady ?? 0) > 0).map(([key]) => key),
    close() {
      scales.close();
      quotas.close();
    },
  };
}
