/**
 * Looks at a kubeconfig before the official client gets it, whose messages would quote the file, which holds secrets, or come with the
 * first call. Where the client falls short of what kubectl does (files with tokens, programs), another credential is put in the place.
 */
import { dirname, isAbsolute, resolve } from 'node:path';
import { messageOf } from '@switchyard/kernel';
import { parse } from 'yaml';
import { z } from 'zod';
import { type ClusterAccess, type OwnCredential, toClusterAccess } from './cluster-access.ts';
import { clusterErrors } from './errors.ts';

const named = <T extends z.ZodType>(what: string, schema: T) =>
  z.array(z.object({ name: z.string(), [what]: schema })).default([]);

const clusterSchema = z.looseObject({
  server: z.url({ protocol: /^https$/, error: 'the server must be an address such as https://cluster:6443' }),
  'certificate-authority': z.string().optional(),
  'certificate-authority-data': z.base64().optional(),
  extensions: z.array(z.object({ name: z.string(), extension: z.unknown() })).nullish(),
});

const programSchema = z.object({
  apiVersion: z.string().regex(/^client\.authentication\.k8s\.io\//, 'it must be one of client.authentication.k8s.io'),
  command: z.string().min(1),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
  installHint: z.string().nullish(),
  provideClusterInfo: z.boolean().nullish(),
});

const userSchema = z.looseObject({
  token: z.string().optional(),
  tokenFile: z.string().optional(),
  username: z.string().optional(),
  'client-certificate': z.string().optional(),
  'client-certificate-data': z.base64().optional(),
  'client-key': z.string().optional(),
  'client-key-data': z.base64().optional(),
  'auth-provider': z.looseObject({ name: z.string(), config: z.unknown() }).nullish(),
  exec: programSchema.nullish(),
});

/** Of the authentication provider `oidc`. */
const openIdSchema = z.object({
  'idp-issuer-url': z.url({ protocol: /^https$/ }),
  'client-id': z.string(),
  'client-secret': z.string().optional(),
  'id-token': z.string().default(''),
  'refresh-token': z.string().optional(),
  'idp-certificate-authority': z.string().optional(),
  'idp-certificate-authority-data': z.base64().optional(),
});

const contextSchema = z.looseObject({ cluster: z.string(), user: z.string() });

const fileSchema = z.object({
  'current-context': z.string(),
  contexts: named('context', contextSchema),
  clusters: named('cluster', clusterSchema),
  users: named('user', z.unknown()),
});

type Cluster = z.infer<typeof clusterSchema>;
type User = z.infer<typeof userSchema>;

/** @throws PlatformError KUBECONFIG_INVALID, which quotes nothing of the file but names */
export function readKubeconfig(text: string, path: string): ClusterAccess {
  const invalid = (reason: string): Error => clusterErrors.create('KUBECONFIG_INVALID', { path, reason });
  const file = parseWith(fileSchema, parseYaml(text, invalid), '', invalid);
  const find = <T>(what: 'context' | 'cluster' | 'user', wanted: string, among: readonly object[]): T => {
    const found = among.find((one) => 'name' in one && one.name === wanted) as Record<string, unknown> | undefined;
    if (found === undefined) throw invalid(`there is no ${what} '${wanted}'`);
    return found[what] as T;
  };
  const context = find<z.infer<typeof contextSchema>>('context', file['current-context'], file.contexts);
  const cluster = find<Cluster>('cluster', context.cluster, file.clusters);
  // Users of other contexts may have what we do not know.
  const user = parseWith(
    userSchema,
    find<unknown>('user', context.user, file.users),
    `users.${context.user}.`,
    invalid,
  );
  if (!hasCredential(user)) {
    throw invalid(
      `the user '${context.user}' has neither a token nor a client certificate with its key, nor a program`,
    );
  }
  const ignored = ['as-groups', 'as-uid', 'as-user-extra'].find((name) => user[name] !== undefined);
  if (ignored !== undefined) throw invalid(`the user '${context.user}' has ${ignored}, which the client leaves out`);
  const at = (found: string): string => resolve(dirname(path), found);
  const credential = ownCredentialOf(user, { cluster, at, invalid });
  return toClusterAccess({
    cluster: { ...cluster, ...heldOnce(cluster, 'certificate-authority', at) },
    user: { ...user, ...heldOnce(user, 'client-certificate', at), ...heldOnce(user, 'client-key', at) },
    credential,
  });
}

function hasCredential(user: User): boolean {
  const certificate = user['client-certificate'] ?? user['client-certificate-data'];
  const key = user['client-key'] ?? user['client-key-data'];
  if (certificate !== undefined && key !== undefined) return true;
  return [user.token, user.tokenFile, user.username, user['auth-provider'], user.exec].some((one) => one != null);
}

/** What stands in the file goes before another file that it names, as kubectl has it. */
function heldOnce(of: Readonly<Record<string, unknown>>, name: string, at: (path: string) => string): object {
  const path = of[name];
  return typeof path !== 'string' ? {} : { [name]: of[`${name}-data`] === undefined ? at(path) : undefined };
}

interface Place {
  readonly cluster: Cluster;
  readonly at: (path: string) => string;
  readonly invalid: (reason: string) => Error;
}

/** In the order of kubectl: a token in a file of its own, then one in the kubeconfig, then those who are asked for one. */
function ownCredentialOf(user: User, { cluster, at, invalid }: Place): OwnCredential | undefined {
  const { token, tokenFile, exec, 'auth-provider': provider } = user;
  if (tokenFile !== undefined) return { kind: 'token-file', path: at(tokenFile) };
  if (token !== undefined) return undefined;
  if (provider?.name === 'oidc') {
    return toOpenId(parseWith(openIdSchema, provider.config, 'auth-provider.config.', invalid), at);
  }
  if (exec == null) return undefined;
  const isPath = !isAbsolute(exec.command) && /[\\/]/.test(exec.command);
  return {
    kind: 'program',
    program: isPath ? at(exec.command) : exec.command,
    words: exec.args ?? [],
    environment: Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value])),
    execInfo: JSON.stringify({
      apiVersion: exec.apiVersion,
      kind: 'ExecCredential',
      spec: { interactive: false, ...(exec.provideClusterInfo === true ? { cluster: toExecCluster(cluster) } : {}) },
    }),
    installHint: exec.installHint ?? undefined,
  };
}

function toOpenId(config: z.infer<typeof openIdSchema>, at: (path: string) => string): OwnCredential {
  const { 'idp-certificate-authority-data': data, 'idp-certificate-authority': file } = config;
  const beside = file === undefined ? undefined : ({ kind: 'file', path: at(file) } as const);
  return {
    ...{ kind: 'open-id', issuer: config['idp-issuer-url'], clientId: config['client-id'] },
    // An empty secret is that of a client that has none.
    clientSecret: config['client-secret'] || undefined,
    refreshToken: config['refresh-token'],
    idToken: config['id-token'],
    authority: data === undefined ? beside : { kind: 'text', text: Buffer.from(data, 'base64').toString('utf8') },
  };
}

/** The cluster in the names of the credential plugins' API. */
function toExecCluster(cluster: Cluster): object {
  const own = cluster.extensions?.find(({ name }) => name === 'client.authentication.k8s.io/exec');
  return {
    server: cluster.server,
    ...(own === undefined ? {} : { config: own.extension }),
    ...pick(cluster, ['tls-server-name', 'insecure-skip-tls-verify', 'certificate-authority-data', 'proxy-url']),
  };
}

function pick(of: Readonly<Record<string, unknown>>, names: readonly string[]): object {
  return Object.fromEntries(names.flatMap((name) => (of[name] === undefined ? [] : [[name, of[name]]])));
}

function parseYaml(text: string, invalid: (reason: string) => Error): unknown {
  try {
    return parse(text);
  } catch (thrown) {
    // The first line says what is wrong; those after it quote the file, which holds secrets.
    throw invalid(`it is not YAML: ${messageOf(thrown).split('\n')[0]}`);
  }
}

function parseWith<T>(schema: z.ZodType<T>, value: unknown, at: string, invalid: (reason: string) => Error): T {
  const reading = schema.safeParse(value);
  if (reading.success) return reading.data;
  const [issue] = reading.error.issues;
  throw invalid(`${at}${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'it is wrong'}`);
}
