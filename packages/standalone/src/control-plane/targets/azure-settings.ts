/** What configures everything in Azure: compute targets there, and who asks. */
import { z } from 'zod';
import { type Environment, readTargetSettings } from './target-settings.ts';

const prefix = 'SWITCHYARD_AZURE_';

const address = z.url({ protocol: /^https$/, error: 'it must be an address that begins with https://' });

const settingsSchema = z
  .strictObject({
    subscription: z.string().exactOptional(),
    resource_group: z.string().exactOptional(),
    location: z.string().exactOptional(),
    /** Of a user-assigned managed identity. */
    client_id: z.string().exactOptional(),
    /** The resource manager of another cloud than the public one. */
    arm_endpoint: address.exactOptional(),
    ca_file: z.string().exactOptional(),
    installation: z.string().min(1).max(100).default('switchyard'),
    container_port: z.coerce.number().int().min(1).max(65_535).default(8080),
    health_path: z.string().startsWith('/').default('/'),
    container_apps_environment: z.string().startsWith('/').exactOptional(),
    container_apps_registry: z.string().exactOptional(),
    container_apps_identity: z.string().startsWith('/').exactOptional(),
    functions_plan: z.string().startsWith('/').exactOptional(),
    app_service_plan: z.string().startsWith('/').exactOptional(),
    site_prefix: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,18}$/, 'it must be at most 19 characters of a-z, 0-9 and -')
      .default('sy-'),
    site_identity: z.string().startsWith('/').exactOptional(),
    /** Where Azure Monitor answers for a region; with it services in Azure are measured. */
    monitor_endpoint: address.exactOptional(),
    /** The vault of secret bindings, instead of the embedded one. */
    key_vault_url: address.exactOptional(),
    /** Where the vaults are that settings refer to, with `{vault}` in the place of the name. */
    key_vault_references: z
      .string()
      .regex(
        /^https:\/\/.*\{vault\}/,
        'it must be an address with {vault} in it, such as https://{vault}.vault.azure.net',
      )
      .exactOptional(),
    /** Which tenants may read which vaults: `acme=shop,acme=common`. */
    key_vault_tenants: z
      .string()
      .transform((text) => text.split(',').map((pair) => pair.trim().split('=')))
      .refine((pairs) => pairs.every((pair) => pair.length === 2 && pair.every((word) => word !== '')), {
        error: 'it must hold pairs such as acme=shop, with commas between',
      })
      .transform((pairs) => pairs.map(([tenantId = '', vault = '']) => ({ tenantId, vault: vault.toLowerCase() })))
      .exactOptional(),
  })
  .superRefine((settings, context) => {
    const hasTarget = targetVariables.some((name) => settings[name] !== undefined);
    for (const name of hasTarget ? placeVariables : []) {
      const message = 'what is in Azure needs it';
      if (settings[name] === undefined) context.addIssue({ code: 'custom', path: [name], message });
    }
    const { container_apps_registry: registry, container_apps_identity: identity } = settings;
    if ((registry === undefined) === (identity === undefined)) return;
    const message = 'a registry needs the identity that reads it, and the other way round';
    context.addIssue({ code: 'custom', path: ['container_apps_identity'], message });
  });

const targetVariables = [
  'container_apps_environment',
  'functions_plan',
  'app_service_plan',
  'monitor_endpoint',
] as const;

const placeVariables = ['subscription', 'resource_group', 'location'] as const;

export type AzureSettings = z.infer<typeof settingsSchema>;

/** Undefined when nothing is configured. */
export function readAzureSettings(environment: Environment): AzureSettings | undefined {
  return readTargetSettings(environment, prefix, settingsSchema);
}
