/**
 * From a request to its effect: what cannot be is refused at once, the rest is asked of the workers, and whoever asks waits
 * until they have answered.
 *
 * I1 Nothing is changed here: the catalog is read, and the records of the request are written.
 * I2 The wait has an end: what takes longer goes on without the asker, who is told so.
 * I3 A request that another writer has overtaken is refused as one that came too late from the start.
 * I4 No value of a setting is written but to the vault.
 */
import { type Clock, type Random, sleep } from '@switchyard/kernel';
import type { RuntimeDeployment, SettingsRequest, WorkerName } from '@switchyard/protocol/control-api';
import type { Application, Catalog, CheckOutcome, SettingsChange } from '../catalog/contract.ts';
import type { Asker, DomainCommands } from '../domain/commands.ts';
import { domainErrors } from '../domain/errors.ts';
import { createLooseService } from '../domain/loose-service.ts';
import type { DomainView } from '../frame/contract.ts';
import type { Vault } from '../targets/vault.ts';
import { settingsEntryOf, settingsKeyOf, toValuesText } from '../workers/configuration/change-settings.ts';
import { finalStates } from '../workers/deployment/transitions.ts';
import type { AppRequests, TrafficRequest } from './contract.ts';

export interface AppRequestsDeps {
  readonly clock: Clock;
  readonly random: Pick<Random, 'uuid'>;
  readonly catalog: Pick<Catalog, 'traffic' | 'settings'>;
  readonly view: DomainView;
  readonly commands: DomainCommands;
  readonly vault: Vault;
  /** Resolves when the tenant has its default environment. */
  readonly ensureTenant: (tenantId: string) => Promise<void>;
  /** Has a worker look at once, where it runs here; the event tells it in any case. */
  readonly look: (worker: WorkerName, key: string) => Promise<void>;
}

/** The compute target that apps are services of. */
const computeTarget = 'switchyard';

/** How often an answer is looked for, and how long at most: less than a call of the API may take. */
const pollMs = 20;
const patienceMs = 50_000;

/** Another writer came first. */
const conflictCode = 'REVISION_CONFLICT';

type App = Pick<Application, 'applicationId' | 'tenantId'>;

export function createAppRequests(deps: AppRequestsDeps): AppRequests {
  const { catalog, commands } = deps;
  return {
    async shareTraffic(app, request, by, signal) {
      const { applicationId } = app;
      const checked = catalog.traffic.check(applicationId, request);
      if (checked.kind === 'refused') return checked;
      if (checked.isSame && !(await isDeploying(deps, applicationId))) return { kind: 'written', value: checked.value };
      const asked = await askForTraffic(deps, app, request, by);
      void deps.look('deployment', applicationId);
      const late = await waitForTraffic(deps, asked, request, signal);
      return late ?? { kind: 'written', value: catalog.traffic.get(applicationId) };
    },
    async changeSettings(app, change, by, signal) {
      const { applicationId } = app;
      const checked = catalog.settings.check(applicationId, change);
      if (checked.kind === 'refused') return checked;
      if (checked.isSame) return { kind: 'written', value: checked.value };
      const { requestId } = await askForSettings(deps, app, change, by);
      void deps.look('configuration', settingsKeyOf(applicationId));
      const late = await waitForSettings(deps, { requestId, serviceId: applicationId }, change, signal);
      return late ?? { kind: 'written', value: catalog.settings.get(applicationId) };
    },
    withdraw: ({ applicationId, tenantId }, by) => commands.withdraw({ applicationId, tenantId }, by),
    note: ({ applicationId, tenantId }, action, by) =>
      commands.note({ tenantId, action, target: `app/${applicationId}` }, by),
  };
}

async function isDeploying({ view }: AppRequestsDeps, serviceId: string): Promise<boolean> {
  return (await view.list('deployment', { serviceId })).some(({ state }) => !finalStates.has(state));
}

async function askForTraffic(
  { commands, ensureTenant }: AppRequestsDeps,
  { applicationId: serviceId, tenantId }: App,
  { weights, ...more }: TrafficRequest,
  by: Asker,
): Promise<RuntimeDeployment> {
  await ensureTenant(tenantId);
  const shares = weights.map(({ codeVersion, weight }) => ({ version: codeVersion, weight }));
  const version = shares[0]?.version ?? '';
  await commands.ensureService(createLooseService({ serviceId, tenantId, computeTarget, version }), by);
  return commands.share({ serviceId, shares, ...more }, by);
}

async function askForSettings(
  { view, commands, vault, random, ensureTenant }: AppRequestsDeps,
  { applicationId: serviceId, tenantId }: App,
  { set = new Map(), remove = [], revision }: SettingsChange,
  by: Asker,
): Promise<SettingsRequest> {
  await ensureTenant(tenantId);
  const spec = await view.get('serviceSpec', serviceId);
  const { environmentId } = spec ?? createLooseService({ serviceId, tenantId, computeTarget, version: '' });
  const requestId = `${serviceId}.${random.uuid()}`;
  if (set.size > 0) await vault.keep(settingsEntryOf({ tenantId, requestId }), toValuesText(set));
  const names = { set: [...set.keys()], remove: [...remove], ...(revision === undefined ? {} : { revision }) };
  return commands.changeSettings(requestId, { serviceId, tenantId, environmentId, computeTarget, ...names }, by);
}

/** Answers when the request was refused after all, because another writer came first. */
function waitForTraffic(
  deps: AppRequestsDeps,
  { serviceId, deploymentId }: RuntimeDeployment,
  request: TrafficRequest,
  signal: AbortSignal,
): Promise<Refused | undefined> {
  const of = { what: 'traffic', serviceId, collection: 'deployments' };
  const check = () => deps.catalog.traffic.check(serviceId, request);
  return waitFor(deps, signal, { of, check }, async () => {
    const found = await deps.view.get('deployment', deploymentId);
    if (found === undefined || found.state === 'completed') return { kind: 'done' };
    const { reason = found.state, code } = found;
    return finalStates.has(found.state) ? { kind: 'failed', reason, code } : { kind: 'open' };
  });
}

/** Answers as `waitForTraffic`. */
function waitForSettings(
  deps: AppRequestsDeps,
  { requestId, serviceId }: Pick<SettingsRequest, 'requestId' | 'serviceId'>,
  change: SettingsChange,
  signal: AbortSignal,
): Promise<Refused | undefined> {
  const of = { what: 'settings', serviceId, collection: 'settings-requests' };
  const check = () => deps.catalog.settings.check(serviceId, change);
  return waitFor(deps, signal, { of, check }, async () => {
    const found = await deps.view.get('settingsRequest', requestId);
    if (found?.state === 'requested') return { kind: 'open' };
    if (found?.state !== 'failed') return { kind: 'done' };
    return { kind: 'failed', reason: found.reason ?? 'it failed', code: found.code };
  });
}

type Refused = Extract<CheckOutcome<unknown>, { kind: 'refused' }>;

type Progress =
  | { readonly kind: 'open' }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly reason: string; readonly code: string | undefined };

interface Asked {
  readonly of: { readonly what: string; readonly serviceId: string; readonly collection: string };
  /** What the catalog would say to the request now. */
  readonly check: () => CheckOutcome<unknown>;
}

async function waitFor(
  { clock }: Pick<AppRequestsDeps, 'clock'>,
  signal: AbortSignal,
  { of, check }: Asked,
  look: () => Promise<Progress>,
): Promise<Refused | undefined> {
  const untilMs = clock.monotonic() + patienceMs;
  while (clock.monotonic() < untilMs) {
    const progress = await look();
    if (progress.kind === 'done') return undefined;
    if (progress.kind === 'failed') {
      const { reason, code } = progress;
      const now = code === conflictCode ? check() : undefined;
      if (now?.kind === 'refused') return now;
      throw domainErrors.create('CHANGE_FAILED', { ...of, reason });
    }
    await sleep(clock, pollMs, signal);
  }
  throw domainErrors.create('CHANGE_UNDER_WAY', { ...of, seconds: patienceMs / 1_000 });
}
