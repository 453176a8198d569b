/** The desired state that a manifest describes. */
import type { Manifest } from '@switchyard/protocol/control-api';
import type { DesiredService } from './desired-service.ts';

/** Configurations have no version in a manifest: their values are compared through what was published. */
export function servicesOfManifest({ services }: Manifest): readonly DesiredService[] {
  return services.map(({ id, target, version, limits }) => ({ serviceId: id, computeTarget: target, version, limits }));
}
