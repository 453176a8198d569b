/** Workers of the control plane in a process of their own, over the stores of an installation and its control API. */
import { mkdir } from 'node:fs/promises';
import type { ControlPlane } from '@switchyard/control-plane';
import { logLevels, silentMeter, systemClock } from '@switchyard/kernel';
import type { WorkerName } from '@switchyard/protocol/control-api';
import { openJsonLog, type TextSink } from '@switchyard/telemetry';
import { openControlPlane, openControlStores } from './open-control-plane.ts';
import { createRemoteTarget, createRemoteTelemetry, type RemoteControl } from './remote-target.ts';

export interface StartWorkersOptions {
  readonly workers: readonly WorkerName[];
  /** The data folder: the one of the installation, when they share its embedded store and bus. */
  readonly directory: string;
  readonly control: RemoteControl;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly console: TextSink;
  readonly verbose: boolean;
  /** A PostgreSQL that several hosts share, instead of the embedded store. */
  readonly storeUrl?: string;
  /** NATS servers that several hosts share, instead of the embedded bus. */
  readonly natsServers?: readonly string[];
  readonly webhooks?: readonly string[];
  /** The key of the installation's vault; an absolute path. In the data folder when left out. */
  readonly vaultKey?: string;
}

export interface RunningWorkers {
  /** Ends what runs at its next commit, and gives the leases back. */
  stop(): Promise<void>;
}

const stopMs = 5_000;

/** Rejects with a PlatformError when the stores or the bus cannot be had; then nothing is left. */
export async function startWorkers(options: StartWorkersOptions): Promise<RunningWorkers> {
  const { workers, directory, control, environment, console: sink, verbose, webhooks = [] } = options;
  const lowest = logLevels.indexOf(verbose ? 'debug' : 'information');
  const log = await openJsonLog({ clock: systemClock, sink }, (level) => logLevels.indexOf(level) >= lowest);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const stores = await openControlStores(options);
  let plane: ControlPlane;
  try {
    plane = await openControlPlane(
      { log, meter: silentMeter, directory, environment },
      {
        ...{ stores, workers, webhooks, vaultKey: options.vaultKey, mayMakeKey: options.storeUrl === undefined },
        targets: [createRemoteTarget({ clock: systemClock, control })],
        telemetry: createRemoteTelemetry(control),
      },
    );
  } catch (error) {
    await stores.close();
    throw error;
  }
  log.write('information', 'Workers of the control plane run', { workers: workers.join(', ') });
  return {
    stop: async () => {
      await plane.stop(stopMs);
      await stores.close();
    },
  };
}
