/**
 * The composition of the control plane: store, bus and vault of this installation, the compute targets, and the workers
 * over them. `switchyard up` runs all seven in its own process; `switchyard control-plane` runs some of them alone.
 */
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import {
  type AlertSink,
  type Bus,
  type ComputeTarget,
  type ControlPlane,
  createComputeTargets,
  createDesiredStateReader,
  createLogSink,
  createPostgresqlUsers,
  createSplitVault,
  createStoreState,
  createStoreVault,
  createTelemetryByTarget,
  createWebhookSink,
  generatedTarget,
  openBus,
  openStore,
  openVaultKey,
  type PostgresqlConnection,
  type Store,
  startControlPlane,
  startRetentionSweeper,
  type Telemetry,
  type Vault,
} from '@switchyard/control-plane';
import { type Log, type Meter, Secret, systemClock, systemRandom } from '@switchyard/kernel';
import type { WorkerName } from '@switchyard/protocol/control-api';
import { createGitFiles } from './git-file.ts';
import { readPostgresqlConnections } from './postgresql-connections.ts';
import { createProbeKinds } from './probe-kinds.ts';
import { readAzureSettings } from './targets/azure-settings.ts';
import { openTargets } from './targets/open-targets.ts';

export interface ControlPlaneScope {
  readonly log: Log;
  readonly meter: Meter;
  /** The data folder; what the control plane keeps goes below it. */
  readonly directory: string;
  /** Configures git, PostgreSQL servers and further compute targets. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What the control plane keeps, open. Opened before the targets: some of them keep something too. */
export interface ControlStores {
  readonly store: Store;
  readonly bus: Bus;
  close(): Promise<void>;
}

export interface StoreChoices {
  readonly directory: string;
  /** A PostgreSQL that several processes share, instead of the embedded store. */
  readonly storeUrl?: string | undefined;
  /** NATS servers that they share, instead of the embedded bus. */
  readonly natsServers?: readonly string[] | undefined;
}

/** Opens the store and the bus. Rejects with a PlatformError when they cannot be had; then nothing is left. */
export async function openControlStores({ directory, storeUrl, natsServers }: StoreChoices): Promise<ControlStores> {
  const store = await openStore(
    { clock: systemClock },
    storeUrl === undefined
      ? { kind: 'sqlite', file: join(directory, 'control.sqlite') }
      : { kind: 'postgresql', connectionString: new Secret(storeUrl) },
  );
  try {
    const bus = await openBus(
      { clock: systemClock, random: systemRandom, inbox: store.inbox },
      natsServers === undefined
        ? { kind: 'sqlite', file: join(directory, 'bus.sqlite') }
        : { kind: 'nats', servers: natsServers },
    );
    return {
      ...{ store, bus },
      close: async () => {
        await bus.close();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

export interface ControlPlaneParts {
  readonly stores: ControlStores;
  readonly targets: readonly ComputeTarget[];
  readonly telemetry: Telemetry;
  readonly workers: readonly WorkerName[];
  /** Where the key of the vault is, instead of `vault.key` in the data folder; an absolute path. */
  readonly vaultKey?: string | undefined;
  /** False where the installation runs elsewhere, and has its key. */
  readonly mayMakeKey: boolean;
  /** Addresses that alerts are posted to. */
  readonly webhooks?: readonly string[];
  /** Servers whose users are rotated, by the name that manifests use; those of the environment when left out. */
  readonly postgresql?: ReadonlyMap<string, PostgresqlConnection>;
}

/** The workers that run here, and the vault that they share with those elsewhere. */
export interface OpenControlPlane extends ControlPlane {
  readonly vault: Vault;
}

/** Starts the workers. The stores stay with whoever opened them. */
export async function openControlPlane(scope: ControlPlaneScope, parts: ControlPlaneParts): Promise<OpenControlPlane> {
  const { log, meter, directory, environment } = scope;
  const { stores, workers, webhooks = [] } = parts;
  const postgresql = parts.postgresql ?? readPostgresqlConnections(environment);
  const { vaultKey: file, mayMakeKey: mayMake } = parts;
  const key = await openVaultKey({ log, random: systemRandom, store: stores.store }, { directory, file, mayMake });
  const vault = await openVault(environment, () =>
    createStoreVault({ store: stores.store, random: systemRandom }, key),
  );
  const telemetry = await openTelemetry({ log, environment }, parts);
  const readGitFile = createGitFiles({ directory: join(directory, 'git'), environment });
  const category = 'Host.ControlPlane';
  const holder = `${hostname()}-${process.pid}-${systemRandom.uuid().slice(0, 8)}`;
  const more = await openTargets({ log: log.child({ category }), environment, store: stores.store, key, holder });
  const targets = createComputeTargets([...parts.targets, ...more.targets]);
  const plane = await startControlPlane(
    {
      ...{ clock: systemClock, random: systemRandom, log: log.child({ category }), meter },
      ...{ store: stores.store, bus: stores.bus },
      spans: {
        record: ({ name, trace, startMs, endMs, attributes, error }) => {
          const { traceId, correlationId } = trace;
          const fields = { category, ...attributes, name, traceId, correlationId, durationMs: endMs - startMs };
          log.write('trace', 'A span has ended', error === undefined ? fields : { ...fields, error });
        },
      },
      ports: {
        ...{ targets, vault, telemetry },
        probes: createProbeKinds({ targets, fetch, environment }),
        readDesired: createDesiredStateReader({ readGitFile, readFile: (file) => readFile(file, 'utf8') }),
        rotationTargets: {
          generated: generatedTarget,
          'postgresql-user': createPostgresqlUsers({ connections: postgresql }),
        },
      },
      alertSinks: [createLogSink(log.child({ category })), ...webhooks.map(toWebhook)],
    },
    { holder, workers },
  ).catch(async (error: unknown) => {
    await more.close();
    throw error;
  });
  const sweeper = startRetentionSweeper({ clock: systemClock, log, store: stores.store }, { holder });
  return {
    ...plane,
    vault,
    async stop(deadlineMs) {
      await sweeper.stop();
      await plane.stop(deadlineMs);
      await more.close();
    },
  };
}

/** The vault that the environment names; the embedded one where it names none. */
async function openVault(environment: ControlPlaneScope['environment'], embedded: () => Vault): Promise<Vault> {
  const azure = readAzureSettings(environment);
  if (azure?.key_vault_url === undefined) return embedded();
  const { openAzureVault } = await import('./targets/azure-vault.ts');
  const bindings = await openAzureVault(azure, azure.key_vault_url);
  return createSplitVault({ bindings, passing: embedded() });
}

/** Services in Azure are measured there, where the environment says so. */
async function openTelemetry(
  { log, environment }: Pick<ControlPlaneScope, 'log' | 'environment'>,
  { stores, telemetry: own }: Pick<ControlPlaneParts, 'stores' | 'telemetry'>,
): Promise<Telemetry> {
  const azure = readAzureSettings(environment);
  if (azure?.monitor_endpoint === undefined) return own;
  const view = createStoreState({ store: stores.store, clock: systemClock });
  const { openAzureTelemetry } = await import('./targets/azure-monitor.ts');
  const replicasOf = async (serviceId: string) => (await view.get('service', serviceId))?.replicas;
  return createTelemetryByTarget(
    { view, own },
    await openAzureTelemetry({ log, replicasOf }, azure, azure.monitor_endpoint),
  );
}

function toWebhook(url: string): AlertSink {
  const headers = { 'content-type': 'application/json' };
  return createWebhookSink({
    clock: systemClock,
    post: (body, signal) => fetch(url, { method: 'POST', headers, body, signal }),
  });
}
