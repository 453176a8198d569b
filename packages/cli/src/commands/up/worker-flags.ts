/** The flags of `switchyard up` that have workers run elsewhere: as containers of a node agent, or as pods of a cluster. */
import { resolve } from 'node:path';
import type { UpOptions } from '@switchyard/standalone/up';
import type { CommandContext, FlagValues } from '../../command.ts';
import { controlErrors } from '../../control/errors.ts';

const name = { kind: 'text', placeholder: 'NAME' } as const;
const amounts = { kind: 'text', placeholder: 'cpu=N,memory=N' } as const;

export const workerFlags = {
  'worker-agent': {
    kind: 'text',
    placeholder: 'URL',
    summary: 'runs workers as containers of this node agent, whose pods share the network of its machine',
  },
  'worker-image': {
    kind: 'list',
    placeholder: 'STACK=IMAGE',
    summary:
      'the image of the workers of a language, or of one version: node=IMAGE, node:22=IMAGE; may be given many times',
  },
  'worker-kubernetes': {
    kind: 'text',
    placeholder: 'NAMESPACE',
    summary: 'runs workers as pods in this namespace of a cluster: the one in which this runs, or that of --kubeconfig',
  },
  kubeconfig: { kind: 'text', placeholder: 'FILE', summary: 'says how to reach the cluster, by its current context' },
  'worker-account': {
    ...name,
    fallback: 'switchyard-worker',
    summary: 'the service account of pods (switchyard-worker)',
  },
  'worker-tls-secret': {
    ...name,
    fallback: 'switchyard-worker-tls',
    summary: 'the Secret with tls.crt and tls.key of pods, and ca.crt of this installation (switchyard-worker-tls)',
  },
  'worker-tls-name': {
    ...name,
    fallback: 'switchyard-worker',
    summary: 'the name that the certificate of pods has (switchyard-worker)',
  },
  'worker-requests': {
    ...amounts,
    fallback: 'cpu=50m,memory=128Mi',
    summary: 'what each pod is sure of (cpu=50m,memory=128Mi)',
  },
  'worker-limits': {
    ...amounts,
    fallback: 'cpu=1,memory=1Gi',
    summary: 'what each pod or container may use (cpu=1,memory=1Gi)',
  },
  installation: {
    ...name,
    fallback: 'switchyard',
    summary: 'tells the pods of this installation from others in the namespace (switchyard)',
  },
} as const;

type Given = FlagValues<typeof workerFlags>;

/** Throws WORKERS_ELSEWHERE_INVALID. */
export function toRemoteWorkers(
  given: Given,
  { workingDirectory }: Pick<CommandContext, 'workingDirectory'>,
): Pick<UpOptions, 'workerAgent' | 'workerKubernetes'> {
  const { 'worker-agent': agent, 'worker-kubernetes': namespace, kubeconfig } = given;
  const images = given['worker-image'] ?? [];
  if (agent === undefined && namespace === undefined) {
    if (images.length > 0)
      refuse('--worker-image is for workers elsewhere, and neither --worker-agent nor --worker-kubernetes says where');
    return { workerAgent: undefined, workerKubernetes: undefined };
  }
  if (agent !== undefined && namespace !== undefined)
    refuse('--worker-agent and --worker-kubernetes exclude each other');
  if (images.length === 0) refuse('no --worker-image says which containers its workers are');
  const limits = readAmounts(given['worker-limits'], '--worker-limits', { cpu: '1', memory: '1Gi' });
  if (agent !== undefined)
    return { workerAgent: { url: readUrl(agent), images: readImages(images), limits: toContainerLimits(limits) } };
  return {
    workerAgent: undefined,
    workerKubernetes: {
      namespace: readName(namespace ?? '', '--worker-kubernetes', dnsLabel),
      kubeconfig: kubeconfig === undefined ? undefined : resolve(workingDirectory, kubeconfig),
      images: readImages(images),
      installation: readName(given.installation ?? 'switchyard', '--installation', label),
      serviceAccount: given['worker-account'] ?? 'switchyard-worker',
      tlsSecret: given['worker-tls-secret'] ?? 'switchyard-worker-tls',
      tlsName: given['worker-tls-name'] ?? 'switchyard-worker',
      requests: readAmounts(given['worker-requests'], '--worker-requests', { cpu: '50m', memory: '128Mi' }),
      limits,
    },
  };
}

const dnsLabel = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const label = /^[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?$/;
const quantity = /^\d+(?:\.\d+)?(?:m|[kMGT]i?)?$/;

function refuse(reason: string): never {
  throw controlErrors.create('WORKERS_ELSEWHERE_INVALID', { reason });
}

const quote = (text: string): string => `'${text.slice(0, 200)}'`;

function readUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    refuse(`${quote(text)} is no address such as http://127.0.0.1:9000`);
  }
  return text.replace(/\/+$/, '');
}

function readImages(texts: readonly string[]): ReadonlyMap<string, string> {
  const images = texts.map((text): readonly [string, string] => {
    const [, stack, image] = /^([a-z][a-z0-9-]*(?::[\w.-]+)?)=(\S+)$/.exec(text) ?? [];
    if (stack !== undefined && image !== undefined) return [stack, image];
    return refuse(`${quote(text)} is not STACK=IMAGE, such as node=switchyard/worker-node:24`);
  });
  return new Map(images);
}

function readName(text: string, flag: string, pattern: RegExp): string {
  return pattern.test(text) ? text : refuse(`${quote(text)}, which ${flag} names, is no name in a cluster`);
}

function readAmounts(
  text: string | undefined,
  flag: string,
  standard: { readonly cpu: string; readonly memory: string },
): { readonly cpu: string; readonly memory: string } {
  const amounts = { ...standard };
  for (const part of text?.split(',') ?? []) {
    const [what, amount = '', ...rest] = part.split('=');
    const isKnown = (what === 'cpu' || what === 'memory') && rest.length === 0 && quantity.test(amount);
    if (!isKnown) return refuse(`${quote(part)} in ${flag} is neither cpu=500m nor memory=512Mi`);
    amounts[what] = amount;
  }
  return amounts;
}

/** Bytes of a cluster's units. */
const unitBytes: Readonly<Record<string, number>> = {
  ...{ '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 },
  ...{ ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 },
};

/** Amounts in a cluster's words, as a node agent counts them. */
function toContainerLimits({ cpu, memory }: { readonly cpu: string; readonly memory: string }) {
  const [, cpus = '', milli] = /^([\d.]+)(m?)$/.exec(cpu) ?? [];
  const [, size = '', unit = ''] = /^([\d.]+)([kMGT]i?)?$/.exec(memory) ?? [];
  const memoryMb = Math.floor((Number(size) * (unitBytes[unit] ?? 1)) / 2 ** 20);
  if (cpus === '' || Number(cpus) === 0) return refuse(`${quote(cpu)} of --worker-limits is no part of a processor`);
  if (size === '' || memoryMb < 1) return refuse(`${quote(memory)} of --worker-limits is no memory for a worker`);
  return { cpus: milli === 'm' ? Number(cpus) / 1_000 : Number(cpus), memoryMb };
}
