import { join } from 'node:path';
import { createTokenIssuer, openKeyRing } from '@switchyard/identity';
import { type Log, systemClock, systemRandom } from '@switchyard/kernel';
import { createMemoryMeter } from '@switchyard/telemetry';
import { DataFolder } from '../dev/data-folder.ts';
import { libraryCapabilities } from './library-capabilities.ts';
import { type RunningBroker, startBroker } from './start-broker.ts';

export interface ServeBrokerOptions {
  readonly dataDirectory: string;
  readonly webSocket?: { readonly host: string; readonly port: number };
  /** What processes of capabilities see of the environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly memoryBudgetBytes?: number;
}

/** A broker without the rest of an installation, with keys of its own. */
export async function serveBroker({ log }: { readonly log: Log }, options: ServeBrokerOptions): Promise<RunningBroker> {
  const data = new DataFolder(options.dataDirectory);
  await data.prepare();
  const deps = { clock: systemClock, random: systemRandom, log };
  const keys = await openKeyRing(deps, { directory: join(data.path, 'keys') });
  const issuer = createTokenIssuer({ ...deps, keys });
  const { capabilities, programs } = libraryCapabilities();
  return startBroker({ log, meter: createMemoryMeter(), keys, issuer }, { ...options, capabilities, programs });
}
