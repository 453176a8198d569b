import { join } from 'node:path';
import { type Log, type Meter, Secret, systemClock, systemRandom } from '@switchyard/kernel';
import type { Stack } from '@switchyard/model';
import { createRpcServer, type WorkerUsage } from '@switchyard/protocol';
import { durationClassesMs, type Runtime } from '@switchyard/runtime';
import {
  createExternalScaler,
  defaultPlatformScale,
  openScaleController,
  openScaleStore,
  type RolloutTraffic,
  type ScaleController,
  type ScaleStoreChoice,
} from '@switchyard/scale-controller';
import type { Closers } from '../dev/closers.ts';
import type { UpOptions } from './up-options.ts';
import { packageVersionOf } from './versions/deployed-version.ts';

export interface ScaleScope {
  readonly log: Log;
  readonly meter: Meter;
  readonly closers: Closers;
  readonly dataFolder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly traffic: RolloutTraffic;
  readonly runtime: Pick<Runtime, 'load' | 'scaleTo' | 'watchWakes' | 'backlogs' | 'listeningApps'>;
  /** Tells the pools how many placeholders of a stack will be taken soon. */
  readonly announce: (stack: Stack, count: number) => void;
  readonly usageOf: (workerId: string) => WorkerUsage | undefined;
  /** Over how many Runtimes an app may be spread. */
  readonly runtimes: number;
}

/** Decides how many workers each app has, and carries roll-outs through. Its wishes and roll-outs outlive a restart. */
export async function openScale(scope: ScaleScope): Promise<ScaleController> {
  const { log, meter, closers, traffic, runtime, announce, usageOf, runtimes } = scope;
  const store = await openScaleStore(scaleStoreChoice(scope.dataFolder, scope.environment));
  closers.add('scale store', async () => store.close());
  const controller = await openScaleController(
    {
      clock: systemClock,
      random: systemRandom,
      log,
      meter,
      store,
      runtime,
      traffic,
      durationClassesMs,
      catalogVersionOf: packageVersionOf,
      pools: { announce },
      usageOf,
    },
    { platform: { ...defaultPlatformScale, runtimes } },
  );
  closers.add('scale controller', () => controller.close());
  return controller;
}

export interface ScalerScope {
  readonly log: Log;
  readonly closers: Closers;
  readonly runtime: Pick<Runtime, 'load'>;
}

/** Lets KEDA ask how many workers are wanted; returns where. Whoever reaches the port may ask, and learns that number alone. */
export async function openScaler(
  { log, closers, runtime }: ScalerScope,
  { host = '127.0.0.1', port }: NonNullable<UpOptions['scaler']>,
): Promise<string> {
  const methods = createExternalScaler({ clock: systemClock, runtimes: () => [runtime] });
  const server = createRpcServer({ clock: systemClock, log }, { methods });
  const { port: taken } = await server.listen({ host, port });
  closers.add('external scaler', () => server.close(0));
  return `${host}:${taken}`;
}

/** A database that the environment names, so that its password stands in no command line; otherwise a file of the data folder. */
export function scaleStoreChoice(
  dataFolder: string,
  environment: Readonly<Record<string, string | undefined>>,
): ScaleStoreChoice {
  const url = environment.SWITCHYARD_SCALE_STORE_URL;
  if (url === undefined || url === '') return { kind: 'sqlite', file: join(dataFolder, 'scale.sqlite') };
  const schema = environment.SWITCHYARD_SCALE_STORE_SCHEMA;
  return { kind: 'postgresql', connectionString: new Secret(url), ...(schema === undefined ? {} : { schema }) };
}
