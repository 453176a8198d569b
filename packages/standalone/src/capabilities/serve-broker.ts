import { join } from 'node:path';
import { createTokenIssuer, openKeyRing } from '@switchyard/identity';
import { type Log, type Secret, systemClock, systemRandom } from '@switchyard/kernel';
import { createMemoryMeter } from '@switchyard/telemetry';
import { DataFolder } from '../dev/data-folder.ts';
import { lockDataFolder } from '../up/data-lock.ts';
import { type RunningBroker, startBroker } from './start-broker.ts';

export interface ServeBrokerOptions {
  readonly dataDirectory: string;
  readonly webSocket?: { readonly host: string; readonly port: number };
  /** What processes of capabilities see of the environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly memoryBudgetBytes?: number;
  /** What relays of hosts on other machines ask for. */
  readonly relayToken?: Secret;
}

/** A broker without the rest of an installation, with keys of its own. */
export async function serveBroker({ log }: { readonly log: Log }, options: ServeBrokerOptions): Promise<RunningBroker> {
  const data = new DataFolder(options.dataDirectory);
  await data.prepare();
  const unlock = lockDataFolder(data.path);
  try {
    const running = await open(log, data.path, options);
    const close = (): Promise<void> => running.close().finally(unlock);
    return { ...running, close };
  } catch (error) {
    unlock();
    throw error;
  }
}

async function open(log: Log, directory: string, options: ServeBrokerOptions): Promise<RunningBroker> {
  const deps = { clock: systemClock, random: systemRandom, log };
  const keys = await openKeyRing(deps, { directory: join(directory, 'keys') });
  const issuer = createTokenIssuer({ ...deps, keys });
  return startBroker({ log, meter: createMemoryMeter(), keys, issuer }, options);
}
