/**
 * What somebody asks to be changed of the settings of a service, carried out in the order in which it was asked for. The
 * asker waits: what does not take effect is told at once and not tried again.
 */
import { messageOf, Secret } from '@switchyard/kernel';
import type { SettingsRequest } from '@switchyard/protocol/control-api';
import { z } from 'zod';
import { put } from '../../domain/records.ts';
import type { ActingRun, Batch, DomainView, Finding, Run } from '../../frame/contract.ts';
import { workerErrors } from '../../frame/errors.ts';
import type { ComputeTargets, SettingValues } from '../../targets/contract.ts';
import { faultCodeOf } from '../../targets/fault-code.ts';
import type { Vault, VaultEntry } from '../../targets/vault.ts';
import { differingSettings } from './apply-settings.ts';

/** No configuration is called so: their names hold no colon. */
const prefix = 'settings:';

/** The key of the configuration worker under which it changes the settings of a service. */
export function settingsKeyOf(serviceId: string): string {
  return `${prefix}${serviceId}`;
}

/** The service whose settings the key is about; undefined for the key of a configuration. */
export function serviceOfSettingsKey(key: string): string | undefined {
  return key.startsWith(prefix) ? key.slice(prefix.length) : undefined;
}

/** Where the values of a request wait. */
export function settingsEntryOf({ tenantId, requestId }: Pick<SettingsRequest, 'tenantId' | 'requestId'>): VaultEntry {
  return { tenantId, name: `settings/${requestId}`, version: 1 };
}

export interface SettingsDeps {
  readonly targets: ComputeTargets;
  readonly vault: Vault;
}

/** The services with something that was asked for and not answered. */
export async function pendingSettingsKeys(view: DomainView): Promise<readonly string[]> {
  const open = (await view.list('settingsRequest')).filter(({ state }) => state === 'requested');
  return [...new Set(open.map(({ serviceId }) => settingsKeyOf(serviceId)))];
}

export async function lookAtSettings(deps: SettingsDeps, serviceId: string, { view }: Run): Promise<Finding> {
  const open = (await view.list('settingsRequest', { serviceId })).filter(({ state }) => state === 'requested');
  const [first] = [...open].sort(
    (left, right) => left.createdAt - right.createdAt || (left.requestId < right.requestId ? -1 : 1),
  );
  if (first === undefined) return { kind: 'rest' };
  const { tenantId, environmentId, trace } = first;
  const act = (run: ActingRun): Promise<Batch> => change(deps, first, run);
  return { kind: 'work', what: 'change-settings', tenantId, environmentId, trace, act };
}

async function change(deps: SettingsDeps, request: SettingsRequest, run: ActingRun): Promise<Batch> {
  const finishedAt = run.nowMs;
  const answer = async (): Promise<SettingsRequest> => {
    try {
      return { ...request, state: 'applied', mode: await apply(deps, request), finishedAt };
    } catch (thrown) {
      if (run.signal.aborted) throw thrown;
      return {
        ...request,
        state: 'failed',
        reason: messageOf(thrown).slice(0, 1_000),
        ...faultCodeOf(thrown),
        finishedAt,
      };
    }
  };
  const answered = await answer();
  await run.commit(toBatch(answered));
  // A crash before this leaves sealed values that nobody reads.
  await deps.vault.disable(settingsEntryOf(request));
  return {};
}

async function apply(
  { targets, vault }: SettingsDeps,
  request: SettingsRequest,
): Promise<NonNullable<SettingsRequest['mode']>> {
  const { serviceId, remove, revision } = request;
  const target = targets.find(request.computeTarget);
  const set = await readValues(vault, request);
  const mode = await target.applySettings(request, set, { remove, ...(revision === undefined ? {} : { revision }) });
  if (mode === 'restart-required') return mode;
  const differing = await differingSettings(target, serviceId, set);
  const left = remove.length === 0 ? [] : [...(await target.readSettings(serviceId, remove)).keys()];
  const names = [...differing, ...left];
  if (names.length === 0) return mode;
  throw workerErrors.create('SETTINGS_NOT_APPLIED', { serviceId, names: names.join(', ') });
}

const valuesSchema = z.record(z.string(), z.string());

/** Values are kept as one text, so that they are there all together or not at all. */
export function toValuesText(values: ReadonlyMap<string, string>): Secret {
  return new Secret(JSON.stringify(Object.fromEntries(values)));
}

async function readValues(vault: Vault, request: SettingsRequest): Promise<SettingValues> {
  if (request.set.length === 0) return new Map();
  const text = await vault.read(settingsEntryOf(request));
  if (text === undefined) throw workerErrors.create('SECRET_UNKNOWN', { secretBindingId: request.requestId });
  const values = valuesSchema.parse(JSON.parse(text.reveal()));
  return new Map(Object.entries(values).map(([name, value]) => [name, new Secret(value)]));
}

function toBatch(record: SettingsRequest): Batch {
  const { tenantId, environmentId, serviceId, requestId, mode, state } = record;
  const payload = {
    ...{ serviceId, requestId, set: record.set, remove: record.remove },
    ...(mode === undefined ? {} : { mode }),
  };
  const told = { eventType: 'SettingsChanged', tenantId, environmentId, subject: serviceId, payload } as const;
  return { puts: [put('settingsRequest', record)], events: state === 'applied' ? [told] : [] };
}
