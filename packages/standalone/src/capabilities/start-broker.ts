/**
 * The composition root of the capability broker: hosts, packages, tokens and sockets. It runs in the process of an
 * installation, or alone.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { MessagePort } from 'node:worker_threads';
import { environmentNames } from '@switchyard/capabilities';
import {
  Broker,
  type BrokerOptions,
  type CapabilityKind,
  type CapabilityManifestInput,
  type CapabilityModule,
  defaultBrokerOptions,
  PackageStore,
  parseManifest,
  type ServedSession,
  type SpanRecord,
} from '@switchyard/capability-broker';
import type { KeySource, TokenIssuer } from '@switchyard/identity';
import { type Log, type Meter, type Secret, systemClock, systemRandom } from '@switchyard/kernel';
import { Closers } from '../dev/closers.ts';
import { removeBrokerFile, writeBrokerFile } from './broker-file.ts';
import { openBrokerPlaces } from './broker-places.ts';
import { type CapabilityTokens, createCapabilityTokens } from './capability-tokens.ts';
import { openBrokerSockets } from './open-broker-sockets.ts';
import { createHostOpener, type HostProgram } from './open-capability-host.ts';
import { openWarmthFile } from './warmth-file.ts';

/** A capability that comes with the program. */
export interface OfferedCapability {
  readonly manifest: CapabilityManifestInput;
  /** Its module, when it is of kind `builtin`. */
  readonly module?: CapabilityModule;
}

export interface StartBrokerDeps {
  readonly log: Log;
  readonly meter: Meter;
  /** The installation's keys: they verify what `issuer` signs. */
  readonly keys: KeySource;
  readonly issuer: Pick<TokenIssuer, 'control'>;
  /** Told of every span of broker and hosts; logged at debug level when absent. */
  recordSpan?(span: SpanRecord): void;
}

export interface StartBrokerOptions {
  /** The installation's data folder; the broker keeps its own below it. */
  readonly dataDirectory: string;
  /** Where remote callers connect; nowhere unless named. */
  readonly webSocket?: { readonly host: string; readonly port: number };
  /** What comes with the program. */
  readonly capabilities: readonly OfferedCapability[];
  /** Hosts of other languages. */
  readonly programs?: ReadonlyMap<CapabilityKind, HostProgram>;
  /** What processes of capabilities see of the environment: PATH and the like. */
  readonly environment: Readonly<Record<string, string>>;
  readonly maxThreadHeapMb?: number;
  /** What relays of hosts on other machines ask for. */
  readonly relayToken?: Secret;
  /** What all loaded capabilities may hold; 1 GB unless named. */
  readonly memoryBudgetBytes?: number;
  readonly limits?: Partial<BrokerOptions>;
  /** The host program, where it is not the built one. */
  readonly nodeProgram?: string;
}

/** A running broker. */
export interface RunningBroker {
  readonly broker: Broker;
  /** For callers on this machine. */
  readonly endpoint: string;
  /** For callers elsewhere; undefined when nothing listens. */
  readonly webSocketUrl: string | undefined;
  readonly tokens: CapabilityTokens;
  /** What a worker of the account needs in its environment to use capabilities. */
  environmentFor(accountId: string): Promise<Readonly<Record<string, string>>>;
  /** Serves a peer in another thread. */
  servePort(port: MessagePort): ServedSession;
  /** Ends every session, lease and host. */
  close(): Promise<void>;
}

const defaultThreadHeapMb = 128;

/** Opens everything. When something cannot be had, nothing is left. */
export async function startBroker(deps: StartBrokerDeps, options: StartBrokerOptions): Promise<RunningBroker> {
  const closers = new Closers(deps.log);
  try {
    return await open(deps, options, closers);
  } catch (error) {
    await closers.close();
    throw error;
  }
}

async function open(deps: StartBrokerDeps, options: StartBrokerOptions, closers: Closers): Promise<RunningBroker> {
  const { log, meter, keys, issuer } = deps;
  const directory = join(options.dataDirectory, 'capabilities');
  const packages = new PackageStore(directory);
  await packages.prepare();
  const places = await openBrokerPlaces(join(directory, 'state'));
  closers.add('sockets of capabilities', () => places.remove());
  const limits = limitsOf(options);
  const openHost = createHostOpener(
    { clock: systemClock, log, builtins: modulesOf(options), verifyPackage: (manifest) => packages.open(manifest) },
    {
      nodeProgram: options.nodeProgram ?? builtHostProgram(),
      programs: options.programs ?? new Map(),
      environment: options.environment,
      maxThreadHeapMb: options.maxThreadHeapMb ?? defaultThreadHeapMb,
      relayToken: options.relayToken,
    },
  );
  const broker = new Broker(
    {
      ...{ clock: systemClock, log, meter, random: systemRandom, openHost, pathsOf: places.pathsOf },
      warmth: openWarmthFile(log, join(directory, 'warmth.json')),
      recordSpan: (span) => {
        if (deps.recordSpan === undefined) log.write('debug', 'Span', { category: 'Host.Capabilities', ...span });
        else deps.recordSpan(span);
      },
    },
    limits,
  );
  closers.add('capabilities', () => broker.close());
  for (const { manifest } of options.capabilities) broker.registry.register(parseManifest(manifest));
  for (const { manifest, weight } of await packages.registrations()) broker.registry.register(manifest, weight);
  const tokens = createCapabilityTokens({ clock: systemClock, issuer, keys });
  const { memoryBudgetBytes } = limits.pool;
  const sockets = await openBrokerSockets(
    { broker, clock: systemClock, verify: (token) => tokens.verify(token), memoryBudgetBytes, packages },
    { socketPath: places.socketPath, webSocket: options.webSocket },
  );
  closers.add('sessions of capabilities', () => sockets.close());
  const endpoint = `unix:${places.socketPath}`;
  await writeBrokerFile(options.dataDirectory, { endpoint, token: await tokens.forAdministrator() });
  closers.add('broker file', () => removeBrokerFile(options.dataDirectory));
  return {
    broker,
    endpoint,
    webSocketUrl: sockets.webSocketUrl,
    tokens,
    environmentFor: async (accountId) => ({
      [environmentNames.endpoint]: endpoint,
      [environmentNames.token]: (await tokens.forAccount(accountId)).reveal(),
    }),
    servePort: (port) => sockets.servePort(port),
    close: () => closers.close(),
  };
}

function limitsOf({ limits, memoryBudgetBytes }: StartBrokerOptions): BrokerOptions {
  const all = { ...defaultBrokerOptions, ...limits };
  return memoryBudgetBytes === undefined ? all : { ...all, pool: { ...all.pool, memoryBudgetBytes } };
}

function modulesOf({ capabilities }: StartBrokerOptions): ReadonlyMap<string, CapabilityModule> {
  return new Map(
    capabilities.flatMap(({ manifest, module }) => (module === undefined ? [] : [[manifest.name, module] as const])),
  );
}

/** The host program as the build writes it, beside the broker's own code. */
export function builtHostProgram(): string {
  return join(dirname(createRequire(import.meta.url).resolve('@switchyard/capability-broker')), 'host', 'main.cjs');
}
