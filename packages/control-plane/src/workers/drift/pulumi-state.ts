/** What a Pulumi stack says of services: the file that `pulumi stack export` writes. Encrypted values are not looked at. */
import { limitsSchema, serviceIdSchema, serviceVersionSchema } from '@switchyard/protocol/control-api';
import { z } from 'zod';
import type { DesiredService } from './desired-service.ts';

/** The version of the export's format that is known. */
const exportVersion = 3;

const resourceSchema = z.object({
  urn: z.string(),
  type: z.string(),
  inputs: z.record(z.string(), z.unknown()).default({}),
  outputs: z.record(z.string(), z.unknown()).default({}),
  /** A resource that the next update takes away. */
  delete: z.boolean().default(false),
});

const exportSchema = z.object({
  version: z.literal(exportVersion),
  deployment: z.object({ resources: z.array(resourceSchema).max(100_000).default([]) }),
});

type Resource = z.infer<typeof resourceSchema>;

/** How each type of resource names what we look for. */
const readers: Readonly<Record<string, (resource: Resource) => DesiredService | undefined>> = {
  'switchyard:index:Service': ({ inputs }) =>
    toDesired({
      serviceId: inputs.serviceId,
      computeTarget: inputs.computeTarget ?? 'switchyard',
      version: inputs.version,
      limits: inputs.limits,
    }),
  'azure-native:app:ContainerApp': ({ inputs, outputs }) => {
    const template = recordOf(inputs.template);
    const scale = recordOf(template.scale);
    const [container] = Array.isArray(template.containers) ? template.containers : [];
    return toDesired({
      serviceId: inputs.containerAppName ?? outputs.name,
      computeTarget: 'container-apps',
      version: recordOf(container).image,
      limits: { minReplicas: scale.minReplicas ?? 0, maxReplicas: scale.maxReplicas ?? 10 },
    });
  },
};

export type PulumiReading =
  | { readonly kind: 'state'; readonly services: readonly DesiredService[] }
  | { readonly kind: 'invalid'; readonly reason: string };

export function readPulumiState(text: string): PulumiReading {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { kind: 'invalid', reason: 'it is no JSON' };
  }
  const parsed = exportSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { kind: 'invalid', reason: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'it is no stack export'}` };
  }
  const { resources } = parsed.data.deployment;
  const services = resources.filter((one) => !one.delete).flatMap((one) => readerOf(one.type)?.(one) ?? []);
  return { kind: 'state', services };
}

function readerOf(type: string): ((resource: Resource) => DesiredService | undefined) | undefined {
  return Object.hasOwn(readers, type) ? readers[type] : undefined;
}

function toDesired(said: {
  readonly serviceId: unknown;
  readonly computeTarget: unknown;
  readonly version: unknown;
  readonly limits: unknown;
}): DesiredService | undefined {
  const [serviceId, version] = [
    serviceIdSchema.safeParse(said.serviceId),
    serviceVersionSchema.safeParse(said.version),
  ];
  // Encrypted or computed values are opaque: nothing can be compared with them.
  if (!serviceId.success || !version.success || typeof said.computeTarget !== 'string') return undefined;
  const limits = limitsSchema.safeParse(said.limits);
  return {
    ...{ serviceId: serviceId.data, computeTarget: said.computeTarget, version: version.data },
    ...(limits.success ? { limits: limits.data } : {}),
  };
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
