/**
 * ConfigurationSyncWorker: brings each published version of a configuration to the services that it is for.
 *
 * Keys are configurations, and services whose settings somebody asks to be changed (`change-settings.ts`).
 *
 * I1 A version that has arrived is not applied again, and an older one never follows a newer.
 * I2 A version has arrived when the running service was read back with it; what waits for a restart says so.
 * I3 One service that does not take it keeps no other from it, and only that one is tried again.
 * I4 No value stands in an event, a record or a log line.
 */
import { messageOf } from '@switchyard/kernel';
import type { EventEnvelope } from '@switchyard/protocol';
import type { ConfigurationSync, RuntimeConfiguration, ServiceSpec } from '@switchyard/protocol/control-api';
import { hashOf } from '../../domain/canonical.ts';
import { payloadText } from '../../domain/events.ts';
import { put } from '../../domain/records.ts';
import type { ActingRun, Batch, DomainView, EventDraft, Finding, Run, Worker } from '../../frame/contract.ts';
import { workerErrors } from '../../frame/errors.ts';
import type { ComputeTargets } from '../../targets/contract.ts';
import type { Vault } from '../../targets/vault.ts';
import { applySettings } from './apply-settings.ts';
import { lookAtSettings, pendingSettingsKeys, serviceOfSettingsKey, settingsKeyOf } from './change-settings.ts';
import { isWaitingForSecrets, resolveSettings } from './resolve-settings.ts';

export interface ConfigurationDeps {
  readonly targets: ComputeTargets;
  readonly vault: Vault;
}

/** How often to look for a secret that is made for the first time. */
const secretPollMs = 2_000;

export class ConfigurationWorker implements Worker {
  readonly name = 'configuration';
  readonly #deps: ConfigurationDeps;

  constructor(deps: ConfigurationDeps) {
    this.#deps = deps;
  }

  async keysOf({ eventType, payload }: EventEnvelope): Promise<readonly string[]> {
    const configurationId = payloadText(payload, 'configurationId');
    const serviceId = payloadText(payload, 'serviceId');
    if (eventType === 'SettingsChangeRequested') return serviceId === undefined ? [] : [settingsKeyOf(serviceId)];
    return configurationId === undefined ? [] : [configurationId];
  }

  async keysOfTick(view: DomainView): Promise<readonly string[]> {
    const configurations = await view.list('configuration');
    return [...configurations.map(({ configurationId }) => configurationId), ...(await pendingSettingsKeys(view))];
  }

  async look(run: Run): Promise<Finding> {
    const serviceId = serviceOfSettingsKey(run.key);
    return serviceId === undefined ? this.#lookAtConfiguration(run) : lookAtSettings(this.#deps, serviceId, run);
  }

  async #lookAtConfiguration({ key, view, nowMs }: Run): Promise<Finding> {
    const configuration = await view.get('configuration', key);
    if (configuration === undefined) return { kind: 'rest' };
    const pending = await pendingOf(configuration, view);
    if (pending.length === 0) return { kind: 'rest' };
    if (await isWaitingForSecrets(view, configuration)) return { kind: 'rest', wakeAtMs: nowMs + secretPollMs };
    const { tenantId, environmentId } = configuration;
    const act = (run: ActingRun): Promise<Batch> => this.#syncAll(configuration, pending, run);
    return { kind: 'work', what: 'sync', tenantId, environmentId, act };
  }

  async #syncAll(configuration: RuntimeConfiguration, pending: readonly Pending[], run: ActingRun): Promise<Batch> {
    const failures: { readonly serviceId: string; readonly reason: string }[] = [];
    for (const one of pending) {
      try {
        await run.commit(await this.#sync(configuration, one, run));
      } catch (thrown) {
        if (run.signal.aborted) throw thrown;
        const reason = messageOf(thrown);
        failures.push({ serviceId: one.spec.serviceId, reason });
        await run.commit(failed(configuration, one, reason, run.nowMs));
      }
    }
    const [first] = failures;
    if (first === undefined) return {};
    const { configurationId, version } = configuration;
    const names = failures.map(({ serviceId }) => serviceId).join(', ');
    throw workerErrors.create('CONFIGURATION_NOT_APPLIED', {
      configurationId,
      version,
      failed: names,
      reason: first.reason,
    });
  }

  async #sync(configuration: RuntimeConfiguration, { spec }: Pending, run: ActingRun): Promise<Batch> {
    const settings = await resolveSettings({ view: run.view, vault: this.#deps.vault }, configuration);
    const applied = await applySettings(this.#deps.targets.find(spec.computeTarget), spec, settings);
    if (applied.kind === 'differs') throw new Error(`it still has other values of ${applied.names.join(', ')}`);
    const mode = applied.kind === 'unchanged' ? 'reloaded' : applied.mode;
    const record = toSync(configuration, spec.serviceId, mode, run.nowMs);
    return { puts: [put('configurationSync', record)], events: [toEvent(record)] };
  }
}

interface Pending {
  readonly spec: ServiceSpec;
  readonly sync: ConfigurationSync | undefined;
}

/** The services that do not have the latest version yet. */
async function pendingOf(configuration: RuntimeConfiguration, view: DomainView): Promise<readonly Pending[]> {
  const { configurationId, tenantId, version } = configuration;
  const found = await Promise.all(
    configuration.serviceIds.map(async (serviceId): Promise<Pending | undefined> => {
      const [spec, sync, service] = await Promise.all([
        view.get('serviceSpec', serviceId),
        view.get('configurationSync', `${serviceId}/${configurationId}`),
        view.get('service', serviceId),
      ]);
      // A service of another tenant gets nothing, and one that does not run yet gets it with its deployment.
      if (spec === undefined || spec.tenantId !== tenantId || service === undefined) return undefined;
      return sync !== undefined && sync.version >= version ? undefined : { spec, sync };
    }),
  );
  return found.filter((one) => one !== undefined);
}

function toSync(
  { configurationId, tenantId, environmentId, version, values }: RuntimeConfiguration,
  serviceId: string,
  mode: ConfigurationSync['mode'],
  at: number,
): ConfigurationSync {
  return { configurationId, serviceId, tenantId, environmentId, version, hash: hashOf(values), mode, at };
}

/** The same failure again writes nothing. */
function failed(configuration: RuntimeConfiguration, { spec, sync }: Pending, reason: string, at: number): Batch {
  const failure = `version ${configuration.version}: ${reason}`.slice(0, 1_000);
  if (sync?.failure === failure) return {};
  const { configurationId, tenantId, environmentId } = configuration;
  const none: ConfigurationSync = {
    ...{
      configurationId,
      serviceId: spec.serviceId,
      tenantId,
      environmentId,
      version: 0,
      hash: '',
      mode: 'reloaded',
      at,
    },
  };
  return { puts: [put('configurationSync', { ...(sync ?? none), failure, at })] };
}

function toEvent({
  configurationId,
  serviceId,
  tenantId,
  environmentId,
  version,
  mode,
}: ConfigurationSync): EventDraft {
  const payload = { configurationId, serviceId, version, mode };
  return { eventType: 'ConfigurationSynced', tenantId, environmentId, subject: serviceId, payload };
}
