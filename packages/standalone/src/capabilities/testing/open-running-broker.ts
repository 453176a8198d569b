import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Capabilities, createCapabilities, type Endpoint } from '@switchyard/capabilities';
import type { CapabilityManifestInput } from '@switchyard/capability-broker';
import { createTokenIssuer, openKeyRing } from '@switchyard/identity';
import { silentLog, silentMeter, systemClock, systemRandom } from '@switchyard/kernel';
import type { OfferedCapability } from '../library-capabilities.ts';
import { type RunningBroker, type StartBrokerDeps, type StartBrokerOptions, startBroker } from '../start-broker.ts';

/** A broker with real hosts, in a folder of its own. */
export interface RunningTestBroker extends RunningBroker {
  readonly directory: string;
  /** A client of an account; over the Unix socket unless an endpoint is named. It is closed with the broker. */
  client(account?: string, endpoint?: Endpoint): Promise<Capabilities>;
}

/** The capability that the contract suite of hosts uses. */
export const probePath = fileURLToPath(new URL('../../../../capability-broker/fixtures/probe.cjs', import.meta.url));

/** A manifest of the probe, in tier 3 with one shard unless something else is said. */
export function probe(change: Partial<CapabilityManifestInput> = {}): OfferedCapability {
  return {
    manifest: { name: 'probe', version: '1.0.0', tier: 3, kind: 'process', entry: probePath, shards: 1, ...change },
  };
}

const builds: Promise<string>[] = [];
const folders: string[] = [];

/** Bundles the host program once per test file, because Node.js starts sources slowly. */
export function hostProgram(): Promise<string> {
  const [known] = builds;
  if (known !== undefined) return known;
  const outDir = newFolder();
  const build = new URL('../../../../capability-broker/build.mjs', import.meta.url).href;
  const made = import(build).then((module: { bundleHostProgram(options: object): Promise<string> }) =>
    module.bundleHostProgram({ outDir }),
  );
  builds.push(made);
  return made;
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'capabilities-test-'));
  folders.push(folder);
  return folder;
}

/** Removes every folder that was made; for `afterAll`. */
export function removeTestFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  builds.length = 0;
}

/** Starts a broker; `close` ends it and its clients. */
export async function openRunningBroker(
  capabilities: readonly OfferedCapability[],
  options: Partial<StartBrokerOptions> = {},
  more: Partial<StartBrokerDeps> = {},
): Promise<RunningTestBroker> {
  const directory = options.dataDirectory ?? newFolder();
  const deps = { clock: systemClock, random: systemRandom, log: silentLog };
  const keys = await openKeyRing(deps, { directory: join(directory, 'keys') });
  const issuer = createTokenIssuer({ ...deps, keys });
  const running = await startBroker(
    { log: silentLog, meter: silentMeter, keys, issuer, ...more },
    {
      ...{ dataDirectory: directory, environment: {}, nodeProgram: await hostProgram() },
      library: async () => ({ capabilities, programs: new Map() }),
      ...options,
    },
  );
  const clients: Capabilities[] = [];
  return {
    ...running,
    directory,
    client: async (account = 'contoso', endpoint = running.endpoint) => {
      const token = (await running.tokens.forAccount(account)).reveal();
      const client = createCapabilities({ endpoint: () => endpoint, token: () => token, now: () => systemClock.now() });
      clients.push(client);
      return client;
    },
    close: async () => {
      for (const client of clients) client.close();
      await running.close();
    },
  };
}
