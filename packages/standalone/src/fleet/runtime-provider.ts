/** How an installation gets further Runtimes: processes of this machine first. */
import type { Clock, Secret } from '@switchyard/kernel';
import type { ProcessPort } from '@switchyard/sidecar';
import { lifelineArguments } from '../dev/lifeline.ts';

export interface RuntimeProvider {
  /** Where its Runtimes are; undefined for nowhere in particular. */
  readonly region: string | undefined;
  /** Starts one. It joins by itself, under `instanceId`. Never throws: one that cannot be started ends with the reason. */
  start(instanceId: string, name: string): Promise<StartedRuntime>;
}

export interface StartedRuntime {
  readonly instanceId: string;
  /** Resolves when nothing of it is left, with its last words. Never rejects. */
  readonly ended: Promise<string>;
  /** Ends it; what is left after `graceMs` is killed. */
  stop(graceMs: number): void;
}

export interface ProcessProviderDeps {
  readonly clock: Pick<Clock, 'schedule'>;
  readonly processes: ProcessPort;
  readonly issueToken: () => Promise<Secret>;
}

export interface ProcessProviderOptions {
  /** The program and its first arguments: `switchyard`. */
  readonly commandLine: readonly string[];
  /** The port for workers of the installation. */
  readonly url: string;
  readonly region: string | undefined;
  /** Further flags of each: what it shows to workers of other machines. */
  readonly doors: readonly string[];
  readonly dataDirectory: string;
  readonly maxWorkers: number;
  readonly verbose: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Holds the token of a Runtime that joins. */
export const joinTokenVariable = 'SWITCHYARD_JOIN_TOKEN';

/** How much of what it printed is kept, in characters. */
const keptCharacters = 2_000;

/** Starts `switchyard runtime --join` on this machine. They end when this process does, however it ends. */
export function createProcessProvider(
  { clock, processes, issueToken }: ProcessProviderDeps,
  options: ProcessProviderOptions,
): RuntimeProvider {
  const { commandLine, region, environment } = options;
  const [executable = process.execPath, ...words] = commandLine;
  return {
    region,
    async start(instanceId, name) {
      const token = await issueToken();
      const inherited = Object.entries(environment).filter(isInherited);
      const { promise, resolve } = Promise.withResolvers<string>();
      let tail = '';
      const handle = processes.spawn(
        {
          executable,
          arguments: [...lifelineArguments, ...words, ...argumentsOf(options, instanceId, name)],
          directory: options.dataDirectory,
          environment: { ...Object.fromEntries(inherited), [joinTokenVariable]: token.reveal() },
          lifeline: true,
        },
        {
          output: (_stream, chunk) => {
            tail = `${tail}${Buffer.from(chunk).toString('utf8')}`.slice(-keptCharacters);
          },
          outputEnded: () => {},
          exited: () => resolve(tail.trim()),
          failed: (reason) => resolve(reason),
        },
      );
      return {
        instanceId,
        ended: promise,
        stop(graceMs) {
          handle.kill('SIGTERM');
          const timer = clock.schedule(graceMs, () => handle.kill('SIGKILL'));
          void promise.then(() => timer.cancel());
        },
      };
    },
  };
}

/** What configures the installation's own command does not configure another one. */
function isInherited(entry: [string, string | undefined]): entry is [string, string] {
  return entry[1] !== undefined && !entry[0].startsWith('SWITCHYARD_');
}

function argumentsOf(
  { url, region, doors, dataDirectory, maxWorkers, verbose }: ProcessProviderOptions,
  instanceId: string,
  name: string,
): readonly string[] {
  return [
    ...['runtime', '--join', url, '--name', name, '--instance', instanceId, '--max-workers', String(maxWorkers)],
    ...['--port', '0', '--rpc-port', '0', '--control-port', '0', '--data-dir', dataDirectory],
    ...doors,
    ...(region === undefined ? [] : ['--region', region]),
    ...(verbose ? ['--verbose'] : []),
  ];
}
