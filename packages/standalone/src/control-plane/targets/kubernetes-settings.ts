/** What configures the compute target in a Kubernetes cluster. */
import { z } from 'zod';
import { type Environment, readTargetSettings } from './target-settings.ts';

const prefix = 'SWITCHYARD_TARGET_KUBERNETES_';

const settingsSchema = z
  .strictObject({
    /** Left out, the cluster in which this process runs. */
    server: z
      .url({ protocol: /^https$/, error: 'it must be an address such as https://cluster:6443' })
      .transform((text) => text.replace(/\/$/, ''))
      .exactOptional(),
    /** Instead of the server, who asks and the authority. */
    kubeconfig: z.string().exactOptional(),
    token: z.string().exactOptional(),
    /** Read again for every call. */
    token_file: z.string().exactOptional(),
    ca_file: z.string().exactOptional(),
    namespace: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'it must be the name of a namespace'),
    installation: z
      .string()
      .regex(/^[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?$/, 'it must be usable as a label')
      .default('switchyard'),
    container_port: z.coerce.number().int().min(1).max(65_535).default(8080),
    health_path: z.string().startsWith('/').default('/'),
    pull_secret: z.string().exactOptional(),
  })
  .refine(({ server, token, token_file: file }) => server === undefined || token !== undefined || file !== undefined, {
    path: ['token_file'],
    error: 'a server of another cluster needs it, or a token',
  })
  .refine(
    ({ kubeconfig, server, token, token_file: tokenFile, ca_file: caFile }) =>
      kubeconfig === undefined || [server, token, tokenFile, caFile].every((one) => one === undefined),
    { path: ['kubeconfig'], error: 'it says the server, who asks and the authority itself: leave the others out' },
  );

export type KubernetesSettings = z.infer<typeof settingsSchema>;

/** Undefined when nothing is configured. */
export function readKubernetesSettings(environment: Environment): KubernetesSettings | undefined {
  return readTargetSettings(environment, prefix, settingsSchema);
}
