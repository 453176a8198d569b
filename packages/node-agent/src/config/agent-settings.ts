/**
 * Every setting of an agent, in the spelling of its files: the one table from which files, environment variables, the
 * printed page and the types come.
 */
import { z } from 'zod';
import { isImagePattern } from './image-policy.ts';

const limit = (maximum: number) => z.int().min(1).max(maximum);
const text = z.string().min(1).max(4_096);
const networkName = z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/, 'must be the name of a network, such as none');
const memoryMb = z.int().min(6).max(16_777_216);
const runtimeSeconds = limit(31_536_000);
const cpus = z.number().min(0.01).max(1_024);
const pids = limit(4_194_304);

/** What stands for "the program chooses": the machine's name, no token, a memory store. */
const unset = z.string().max(4_096);

export const agentSettingsSchema = z.strictObject({
  /** Empty: the machine's name and the port. Names the agent's containers, so it must stay the same over restarts. */
  worker_id: z
    .string()
    .max(128)
    .regex(/^[\w.:-]*$/, 'must hold letters, digits, and any of _ . : - alone'),
  labels: z.array(text).max(100),
  /** The files of a certificate and its key; empty: masters speak plain HTTP. */
  listen: z.strictObject({ host: text, port: z.int().min(0).max(65_535), tls_certificate: unset, tls_key: unset }),
  /** Empty: whoever reaches the agent may use it, as version 1 of the protocol has it. */
  token: unset,
  max_concurrent_jobs: limit(10_000),
  max_queued_jobs: limit(1_000_000),
  max_pods: z.int().min(0).max(10_000),
  /** `fifo`, or `master`: masters take turns, by the label `master` of their jobs. */
  fairness: z.enum(['fifo', 'master']),
  allowed_modes: z.array(z.enum(['image', 'build'])).max(2),
  /** Patterns as in image-policy.ts. */
  allowed_images: z
    .array(z.string().refine(isImagePattern, 'must be an image pattern such as docker.io/library/*, or *'))
    .max(1_000),
  allowed_networks: z.array(networkName).max(100),
  default_network: networkName,
  /** The network of pods that ask for none. It must reach the Runtime. */
  pod_network: networkName,
  pull_policy: z.enum(['always', 'missing', 'never']),
  limits: z.strictObject({
    default: z.strictObject({ memory_mb: memoryMb, max_runtime_seconds: runtimeSeconds, cpus, pids }),
    maximum: z.strictObject({ memory_mb: memoryMb, max_runtime_seconds: runtimeSeconds, cpus, pids }),
    output_kb: limit(1_048_576),
    body_kb: limit(1_048_576),
    temporary_mb: limit(1_048_576),
  }),
  /** How long a program may take to end after SIGTERM. */
  stop_grace_seconds: z.int().min(0).max(3_600),
  /** How long pulling or building may take. */
  prepare_seconds: limit(86_400),
  /** How long a job waits for a container engine that does not answer. */
  engine_patience_seconds: limit(86_400),
  /** How long jobs may go on when the agent is asked to stop; a durable store lets them go on without it. */
  drain_seconds: z.int().min(0).max(86_400),
  read_only_root: z.boolean(),
  /** Empty: the image's own user. */
  user: unset,
  workspace: z.strictObject({
    /** Empty: a folder of the system's temporary files. */
    path: unset,
    /** The same folder as the container engine sees it, where the agent itself runs in a container. Empty: `path`. */
    engine_path: unset,
  }),
  store: z.strictObject({ kind: z.enum(['memory', 'sqlite']), path: unset }),
  retention: z.strictObject({
    max_jobs: z.int().min(0).max(1_000_000),
    max_age_seconds: limit(31_536_000),
    max_output_mb: limit(1_048_576),
  }),
  /** `mock` runs a few words of its own instead of containers, for trying masters out. */
  driver: z.enum(['docker', 'mock']),
  docker: z.strictObject({ socket: text }),
});

export type AgentSettings = z.infer<typeof agentSettingsSchema>;

/** What holds when nobody says anything. `config/worker-default.yaml` says the same, with comments. */
export const defaultAgentSettings: AgentSettings = {
  worker_id: '',
  labels: [],
  listen: { host: '127.0.0.1', port: 9000, tls_certificate: '', tls_key: '' },
  token: '',
  max_concurrent_jobs: 4,
  max_queued_jobs: 1_000,
  max_pods: 100,
  fairness: 'fifo',
  allowed_modes: ['image', 'build'],
  allowed_images: ['*'],
  allowed_networks: ['none'],
  default_network: 'none',
  pod_network: 'bridge',
  pull_policy: 'missing',
  limits: {
    default: { memory_mb: 512, max_runtime_seconds: 300, cpus: 1, pids: 256 },
    maximum: { memory_mb: 8_192, max_runtime_seconds: 86_400, cpus: 64, pids: 4_096 },
    output_kb: 1_024,
    body_kb: 10_240,
    temporary_mb: 64,
  },
  stop_grace_seconds: 10,
  prepare_seconds: 600,
  engine_patience_seconds: 60,
  drain_seconds: 30,
  read_only_root: true,
  user: '',
  workspace: { path: '', engine_path: '' },
  store: { kind: 'memory', path: '' },
  retention: { max_jobs: 1_000, max_age_seconds: 86_400, max_output_mb: 256 },
  driver: 'docker',
  docker: { socket: '/var/run/docker.sock' },
};

/** What the settings say together, or undefined when that fits. */
export function findContradiction(
  settings: AgentSettings,
): { readonly where: string; readonly problem: string } | undefined {
  const { limits, store, allowed_networks: networks, default_network: network } = settings;
  for (const name of ['memory_mb', 'max_runtime_seconds', 'cpus', 'pids'] as const) {
    if (limits.default[name] <= limits.maximum[name]) continue;
    const problem = `the default is ${limits.default[name]}, and the maximum only ${limits.maximum[name]}`;
    return { where: `limits.default.${name}`, problem };
  }
  if (!networks.includes(network))
    return { where: 'default_network', problem: `'${network}' is not among allowed_networks (${networks.join(', ')})` };
  if (store.kind === 'sqlite' && store.path === '')
    return { where: 'store.path', problem: "it is empty, and the store 'sqlite' needs a file" };
  if (store.kind === 'sqlite' && settings.listen.port === 0 && settings.worker_id === '')
    return {
      where: 'worker_id',
      problem:
        "it is empty, and with listen.port 0 and the store 'sqlite' nothing else tells which containers are the agent's",
    };
  return undefined;
}

/** The settings that hold one value, by their paths, in the order of the table. */
export const settingPaths: readonly string[] = leavesOf(defaultAgentSettings).map(([path]) => path);

/** Values by path; lists count as one value. */
export function leavesOf(settings: object, prefix = ''): (readonly [path: string, value: unknown])[] {
  return Object.entries(settings).flatMap(([name, value]: [string, unknown]) => {
    const path = `${prefix}${name}`;
    const isGroup = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isGroup ? leavesOf(value, `${path}.`) : [[path, value] as const];
  });
}
