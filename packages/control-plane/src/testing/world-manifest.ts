/** A manifest of one service for tests; every part may be another. */
import { type Manifest, manifestSchema } from '@switchyard/protocol/control-api';

export interface ManifestParts {
  readonly version?: string;
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly service?: Readonly<Record<string, unknown>>;
  readonly values?: Readonly<Record<string, unknown>>;
  readonly secrets?: readonly Readonly<Record<string, unknown>>[];
}

export function shopManifest(parts: ManifestParts = {}): Manifest {
  const { version = 'v1', environment = {}, service = {}, values, secrets = [] } = parts;
  const limits = { minReplicas: 1, maxReplicas: 5 };
  return manifestSchema.parse({
    apiVersion: 'switchyard.dev/v1',
    tenant: 'acme',
    environment,
    services: [
      {
        ...{ id: 'shop', target: 'memory', version, gateMs: 2_000, limits },
        ...(values === undefined ? {} : { configuration: 'settings' }),
        secrets: secrets.map(({ id }) => id),
        ...service,
      },
    ],
    configurations: values === undefined ? [] : [{ id: 'settings', values }],
    secrets,
  });
}

export const tester = { subject: 'ann' };
