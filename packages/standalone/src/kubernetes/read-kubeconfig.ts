/** A kubeconfig, as far as it is needed: the server and the user of its current context. */
import { dirname, resolve } from 'node:path';
import { messageOf } from '@switchyard/kernel';
import { parse } from 'yaml';
import { z } from 'zod';
import { clusterErrors } from './errors.ts';

/** A text, or the file that holds it. */
export type Held = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'file'; readonly path: string };

export interface ClusterAddress {
  /** `https://host:port`. */
  readonly server: string;
  /** The name of the server's certificate, where it is not that of its address. */
  readonly serverName: string | undefined;
  readonly authority: Held | undefined;
  readonly token: Held | undefined;
  readonly certificate: Held | undefined;
  readonly key: Held | undefined;
}

const named = <T extends z.ZodType>(what: string, schema: T) =>
  z.array(z.object({ name: z.string(), [what]: schema })).default([]);

const clusterSchema = z.object({
  server: z.url({ protocol: /^https$/, error: 'the server must be an address such as https://cluster:6443' }),
  'certificate-authority': z.string().optional(),
  'certificate-authority-data': z.base64().optional(),
  'tls-server-name': z.string().optional(),
});

const userSchema = z.object({
  token: z.string().optional(),
  tokenFile: z.string().optional(),
  'client-certificate': z.string().optional(),
  'client-certificate-data': z.base64().optional(),
  'client-key': z.string().optional(),
  'client-key-data': z.base64().optional(),
  exec: z.unknown().optional(),
});

const contextSchema = z.object({ cluster: z.string(), user: z.string() });

const fileSchema = z.object({
  'current-context': z.string(),
  contexts: named('context', contextSchema),
  clusters: named('cluster', clusterSchema),
  users: named('user', userSchema),
});

/** @throws PlatformError KUBECONFIG_INVALID, which quotes nothing of the file but names */
export function readKubeconfig(text: string, path: string): ClusterAddress {
  const invalid = (reason: string): Error => clusterErrors.create('KUBECONFIG_INVALID', { path, reason });
  const file = parseFile(text, invalid);
  const name = file['current-context'];
  const find = <T>(what: 'context' | 'cluster' | 'user', wanted: string, among: readonly object[]): T => {
    const found = among.find((one) => 'name' in one && one.name === wanted) as Record<string, unknown> | undefined;
    if (found === undefined) throw invalid(`there is no ${what} '${wanted}'`);
    return found[what] as T;
  };
  const context = find<z.infer<typeof contextSchema>>('context', name, file.contexts);
  const cluster = find<z.infer<typeof clusterSchema>>('cluster', context.cluster, file.clusters);
  const user = find<z.infer<typeof userSchema>>('user', context.user, file.users);
  const at = (found: string | undefined): Held | undefined =>
    found === undefined ? undefined : { kind: 'file', path: resolve(dirname(path), found) };
  const decoded = (data: string | undefined): Held | undefined =>
    data === undefined ? undefined : { kind: 'text', text: Buffer.from(data, 'base64').toString('utf8') };
  const token: Held | undefined = user.token === undefined ? at(user.tokenFile) : { kind: 'text', text: user.token };
  const certificate = decoded(user['client-certificate-data']) ?? at(user['client-certificate']);
  const key = decoded(user['client-key-data']) ?? at(user['client-key']);
  if (token === undefined && (certificate === undefined || key === undefined)) {
    const more = user.exec === undefined ? '' : '; programs that fetch one (exec) are not run';
    throw invalid(`the user '${context.user}' has neither a token nor a client certificate with its key${more}`);
  }
  return {
    ...{ server: cluster.server.replace(/\/+$/, ''), serverName: cluster['tls-server-name'], token, certificate, key },
    authority: decoded(cluster['certificate-authority-data']) ?? at(cluster['certificate-authority']),
  };
}

function parseFile(text: string, invalid: (reason: string) => Error): z.infer<typeof fileSchema> {
  let value: unknown;
  try {
    value = parse(text);
  } catch (thrown) {
    // The first line says what is wrong; those after it quote the file, which holds secrets.
    throw invalid(`it is not YAML: ${messageOf(thrown).split('\n')[0]}`);
  }
  const reading = fileSchema.safeParse(value);
  if (reading.success) return reading.data;
  const [issue] = reading.error.issues;
  throw invalid(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'it is wrong'}`);
}
