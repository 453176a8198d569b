/**
 * The storage emulator in the box: one process of ours, as long as we run.
 *
 * Phases: Running -> Stopping -> Ended, or Running -> Ended when it dies by itself, which is reported once and harms
 * nothing else: what needs storage fails and tries again.
 * Ownership: whoever starts it stops it.
 *
 * I1 An end that nobody asked for is reported once, with the last of what it printed.
 * I2 `stop` resolves when the process is gone; SIGKILL follows SIGTERM after the grace.
 */
import { type Clock, createDeferred, StateMachine, type Timer } from '@switchyard/kernel';
import type { ProcessHandle, ProcessPort } from '@switchyard/sidecar';
import { lifelineArguments } from '../dev/lifeline.ts';
import type { EmulatorAddresses } from './development-storage.ts';

export interface AzuriteOptions {
  readonly script: string;
  readonly executable: string;
  readonly addresses: EmulatorAddresses;
  /** Where the data stays; undefined keeps it in memory. */
  readonly folder: string | undefined;
  /** Where the process runs; it writes there when it must. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly onFailure: (exitCode: number | null, lastOutput: string) => void;
}

export interface AzuriteProcess {
  readonly pid: number | undefined;
  /** False once it has ended or was asked to. */
  readonly isRunning: boolean;
  stop(graceMs: number): Promise<void>;
}

type State =
  | { readonly kind: 'Running' }
  | { readonly kind: 'Stopping'; readonly timer: Timer }
  | { readonly kind: 'Ended' };

const edges = { Running: ['Stopping', 'Ended'], Stopping: ['Ended'], Ended: [] } as const;

/** How much of its output a failure quotes, in bytes. */
const quotedBytes = 2_000;

/** Starts the emulator. Telemetry is off, and the SDKs' newer API versions are let through. */
export function startAzurite(
  deps: { readonly clock: Clock; readonly processes: ProcessPort },
  options: AzuriteOptions,
): AzuriteProcess {
  const machine = new StateMachine<State>({ kind: 'Running' }, edges);
  const gone = createDeferred<void>();
  let lastOutput = Buffer.alloc(0);

  const end = (exitCode: number | null): void => {
    const { state } = machine;
    if (state.kind === 'Stopping') state.timer.cancel();
    machine.transition({ kind: 'Ended' });
    gone.resolve();
    if (state.kind === 'Running') options.onFailure(exitCode, lastOutput.toString('utf8').trim());
  };
  const child: ProcessHandle = deps.processes.spawn(
    {
      executable: options.executable,
      arguments: [...lifelineArguments, ...argumentsOf(options)],
      directory: options.directory,
      environment: options.environment,
      lifeline: true,
    },
    {
      output: (_stream, chunk) => {
        lastOutput = Buffer.concat([lastOutput, chunk]).subarray(-quotedBytes);
      },
      outputEnded: () => {},
      exited: (exitCode) => end(exitCode),
      failed: (reason) => {
        lastOutput = Buffer.from(reason);
        end(null);
      },
    },
  );

  return {
    pid: child.pid,
    get isRunning() {
      return machine.kind === 'Running';
    },
    stop(graceMs) {
      if (machine.kind === 'Running') {
        const timer = deps.clock.schedule(graceMs, () => child.kill('SIGKILL'));
        machine.transition({ kind: 'Stopping', timer });
        child.kill('SIGTERM');
      }
      return gone.promise;
    },
  };
}

/** In memory and in a folder exclude each other: Azurite ends when it gets both. */
function argumentsOf({ script, addresses, folder }: AzuriteOptions): readonly string[] {
  const { host, blobPort, queuePort, tablePort } = addresses;
  return [
    script,
    ...['--blobHost', host, '--blobPort', String(blobPort)],
    ...['--queueHost', host, '--queuePort', String(queuePort)],
    ...['--tableHost', host, '--tablePort', String(tablePort)],
    ...(folder === undefined ? ['--inMemoryPersistence'] : ['--location', folder]),
    ...['--silent', '--disableTelemetry', '--skipApiVersionCheck'],
  ];
}
