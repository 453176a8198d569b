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
  type CapabilityModule,
  defaultBrokerOptions,
  PackageStore,
  parseManifest,
  type ServedSession,
  type SpanRecord,
} from '@switchyard/capability-broker';
import type { KeySource, TokenIssuer } from '@switchyard/identity';
import { type Log, type Meter, messageOf, type Secret, systemClock, systemRandom } from '@switchyard/kernel';
import { Closers } from '../dev/closers.ts';
import { keepBrokerFile } from './broker-file.ts';
import { type BrokerPlaces, openBrokerPlaces } from './broker-places.ts';
import { type CapabilityTokens, createCapabilityTokens } from './capability-tokens.ts';
import { type LibraryCapabilities, libraryCapabilities } from './library-capabilities.ts';
import { openBrokerSockets } from './open-broker-sockets.ts';
import { createHostOpener, type HostProgram } from './open-capability-host.ts';
import { openWarmthFile } from './warmth-file.ts';

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
  /**
   * What comes with the program; the library unless named. It is loaded when the first caller has authenticated, because many
   * installations need none.
   */
  library?(): Promise<LibraryCapabilities>;
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
  /** Resolves when what comes with the program is registered; who authenticates waits for that anyway. */
  ready(): Promise<void>;
  /** What a worker of the account needs in its environment to use capabilities. */
  environmentFor(accountId: string): Promise<Readonly<Record<string, string>>>;
  /** Serves a peer in another thread. */
  servePort(port: MessagePort): ServedSession;
  /** Ends every session, lease and host. */
  close(): Promise<void>;
}

const defaultThreadHeapMb = 128;

/** Who speaks in lines about spans. */
const spanCategory = 'Host.Capabilities';

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
  const { log, keys, issuer } = deps;
  const directory = join(options.dataDirectory, 'capabilities');
  const packages = new PackageStore(directory);
  await packages.prepare();
  const places = await openBrokerPlaces(join(directory, 'state'));
  closers.add('sockets of capabilities', () => places.remove());
  const { broker, ready } = openBroker(deps, options, { directory, packages, places });
  closers.add('capabilities', () => broker.close());
  for (const { manifest, weight } of await packages.registrations()) broker.registry.register(manifest, weight);
  const tokens = createCapabilityTokens({ clock: systemClock, issuer, keys });
  const { memoryBudgetBytes } = limitsOf(options).pool;
  const sockets = await openBrokerSockets(
    {
      ...{ broker, clock: systemClock, memoryBudgetBytes, packages },
      verify: async (token) => {
        const identity = await tokens.verify(token);
        if (identity !== undefined) await ready();
        return identity;
      },
    },
    { socketPath: places.socketPath, webSocket: options.webSocket },
  );
  closers.add('sessions of capabilities', () => sockets.close());
  const endpoint = `unix:${places.socketPath}`;
  const access = async () => ({ endpoint, token: await tokens.forAdministrator() });
  const stopKeeping = await keepBrokerFile({ clock: systemClock, log, access }, options.dataDirectory);
  closers.add('broker file', stopKeeping);
  return {
    broker,
    endpoint,
    webSocketUrl: sockets.webSocketUrl,
    tokens,
    ready,
    environmentFor: async (accountId) => ({
      [environmentNames.endpoint]: endpoint,
      [environmentNames.token]: (await tokens.forAccount(accountId)).reveal(),
    }),
    servePort: (port) => sockets.servePort(port),
    close: () => closers.close(),
  };
}

interface BrokerParts {
  readonly directory: string;
  readonly packages: PackageStore;
  readonly places: BrokerPlaces;
}

/** The broker and its hosts; `ready` loads what comes with the program, once. */
function openBroker(
  { log, meter, recordSpan }: StartBrokerDeps,
  options: StartBrokerOptions,
  { directory, packages, places }: BrokerParts,
): { readonly broker: Broker; ready(): Promise<void> } {
  const builtins = new Map<string, CapabilityModule>();
  const programs = new Map<CapabilityKind, HostProgram>();
  const openHost = createHostOpener(
    { clock: systemClock, log, builtins, verifyPackage: (manifest) => packages.open(manifest) },
    {
      nodeProgram: options.nodeProgram ?? builtHostProgram(),
      programs,
      environment: options.environment,
      maxThreadHeapMb: options.maxThreadHeapMb ?? defaultThreadHeapMb,
      relayToken: options.relayToken,
    },
  );
  const logSpan = (span: SpanRecord): void => log.write('debug', 'Span', { category: spanCategory, ...span });
  const broker = new Broker(
    {
      ...{ clock: systemClock, log, meter, random: systemRandom, openHost, pathsOf: places.pathsOf },
      warmth: openWarmthFile(log, join(directory, 'warmth.json')),
      recordSpan: (span) => (recordSpan ?? logSpan)(span),
    },
    limitsOf(options),
  );
  const loadLibrary = options.library ?? (() => libraryCapabilities(systemClock, options.environment));
  let loading: Promise<void> | undefined;
  const ready = (): Promise<void> => {
    loading ??= loadLibrary()
      .then((library) => addLibrary(broker, library, { builtins, programs }))
      .catch((error: unknown) => {
        loading = undefined;
        log.write('error', 'The built-in capabilities could not be loaded', { error: messageOf(error) });
      });
    return loading;
  };
  return { broker, ready };
}

function limitsOf({ limits, memoryBudgetBytes }: StartBrokerOptions): BrokerOptions {
  const all = { ...defaultBrokerOptions, ...limits };
  return memoryBudgetBytes === undefined ? all : { ...all, pool: { ...all.pool, memoryBudgetBytes } };
}

/** Registers what comes with the program, except where the operator has registered the same. */
function addLibrary(
  { registry }: Broker,
  library: LibraryCapabilities,
  parts: { readonly builtins: Map<string, CapabilityModule>; readonly programs: Map<CapabilityKind, HostProgram> },
): void {
  for (const { manifest, module } of library.capabilities) {
    if (module !== undefined) parts.builtins.set(manifest.name, module);
    const { version, tier } = manifest;
    const known = registry.versionsOf(manifest.name);
    if (known.some((entry) => entry.manifest.version === version && entry.manifest.tier === tier)) continue;
    registry.register(parseManifest(manifest));
  }
  for (const [kind, program] of library.programs) parts.programs.set(kind, program);
}

/** The host program as the build writes it, beside the broker's own code. */
export function builtHostProgram(): string {
  return join(dirname(createRequire(import.meta.url).resolve('@switchyard/capability-broker')), 'host', 'main.cjs');
}
