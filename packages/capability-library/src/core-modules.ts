import type { Clock } from '@switchyard/kernel';
import type { CapabilityModule } from './capability-module.ts';
import { jsonCapability } from './json/json-capability.ts';
import { resolveHost } from './resolve-host.ts';
import { textCapability } from './text/text-capability.ts';
import { createHttpCapability } from './web/http-capability.ts';

/**
 * The core: the names of tier 1, fixed. They are part of the broker's program, always there, and need no host. What the
 * founding document's core holds stands beside each: serialization and text, JSON, a minimal HTTP client.
 */
export const coreNames = ['text', 'json', 'http'] as const;

export type CoreName = (typeof coreNames)[number];

/** The modules of the core by name, for the host in the broker's own process. */
export function createCoreModules({ clock }: { readonly clock: Clock }): ReadonlyMap<string, CapabilityModule> {
  const modules: Readonly<Record<CoreName, CapabilityModule>> = {
    text: textCapability,
    json: jsonCapability,
    http: createHttpCapability({ clock, resolve: resolveHost }),
  };
  return new Map(Object.entries(modules));
}
