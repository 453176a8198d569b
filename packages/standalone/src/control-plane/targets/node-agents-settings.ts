/** What configures the compute target on node agents. */
import { z } from 'zod';
import { type Environment, readTargetSettings } from './target-settings.ts';

const prefix = 'SWITCHYARD_TARGET_NODE_AGENT_';

const port = z.coerce.number().int().min(0).max(65_535);

const settingsSchema = z.strictObject({
  /** Addresses with commas between them. */
  urls: z
    .string()
    .transform((text) => text.split(',').map((one) => one.trim()))
    .refine((urls) => urls.every(isAgentUrl), 'it must hold addresses such as http://node-1:9000, with commas between'),
  token: z.string().exactOptional(),
  network: z
    .string()
    .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/, 'it must be the name of a network')
    .exactOptional(),
  container_port: port.min(1).default(8080),
  health_path: z.string().startsWith('/').default('/'),
  listen_host: z.string().default('127.0.0.1'),
  listen_port: port.default(7075),
  keep_ms: z.coerce.number().int().min(100).max(600_000).exactOptional(),
});

export type NodeAgentSettings = z.infer<typeof settingsSchema>;

/** Undefined when nothing is configured. */
export function readNodeAgentSettings(environment: Environment): NodeAgentSettings | undefined {
  return readTargetSettings(environment, prefix, settingsSchema);
}

function isAgentUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, origin } = new URL(text);
  return (protocol === 'http:' || protocol === 'https:') && origin === text;
}
