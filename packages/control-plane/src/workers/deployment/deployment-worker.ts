/**
 * RuntimeDeploymentWorker: brings versions of services into service, step by step, and back when they do no good.
 *
 * Keys are services: of one service one deployment is under way at a time, in the order in which they were asked for.
 *
 * I1 Every step is written down after it was done, with the id of the deployment: a crash in between does the step again,
 *    which changes nothing, and a step that is written down is never done again.
 * I2 The traffic moves only to a version that has come up, and goes back to the one before when a gate fails.
 * I3 A first version whose gate fails is taken away, and nothing of it stays.
 * I4 One cause (a changed secret, a drift) is answered by one deployment.
 * I5 Traffic that somebody shares by hand ends a roll-out that is under way, and is as it was before when it does not arrive.
 */
import { isPlatformError, messageOf } from '@switchyard/kernel';
import type { EventEnvelope } from '@switchyard/protocol';
import type { RuntimeDeployment, ServiceLimits } from '@switchyard/protocol/control-api';
import { type EventType, payloadText } from '../../domain/events.ts';
import { put } from '../../domain/records.ts';
import type { ActingRun, Batch, DomainView, EventDraft, Finding, Run, Worker } from '../../frame/contract.ts';
import { workerErrors } from '../../frame/errors.ts';
import { traceOf } from '../../frame/trace.ts';
import type { ComputeTarget, ComputeTargets, VersionHealth } from '../../targets/contract.ts';
import { faultCodeOf } from '../../targets/fault-code.ts';
import type { Vault } from '../../targets/vault.ts';
import { applySettings } from '../configuration/apply-settings.ts';
import { isWaitingForSecrets, resolveSettings } from '../configuration/resolve-settings.ts';
import { isUnderWay, planCauses } from './causes.ts';
import { planRollOut, type RollOutAction } from './roll-out-plan.ts';
import { sharesOf } from './stages.ts';
import { advance, type Transition } from './transitions.ts';

export interface DeploymentDeps {
  readonly targets: ComputeTargets;
  readonly vault: Vault;
}

/** How often a deployment looks for a secret that is made for the first time, and how long it waits for it. */
const secretPollMs = 2_000;
const secretPatienceMs = 10 * 60_000;

/** Deployments of one service that are remembered. */
const historyLimit = 50;

export class DeploymentWorker implements Worker {
  readonly name = 'deployment';
  readonly #deps: DeploymentDeps;

  constructor(deps: DeploymentDeps) {
    this.#deps = deps;
  }

  async keysOf({ payload }: EventEnvelope): Promise<readonly string[]> {
    const serviceId = payloadText(payload, 'serviceId');
    if (serviceId !== undefined) return [serviceId];
    const { serviceIds } = payload as { readonly serviceIds?: unknown };
    return Array.isArray(serviceIds) ? serviceIds.filter((id) => typeof id === 'string') : [];
  }

  async keysOfTick(view: DomainView): Promise<readonly string[]> {
    const [deployments, syncs, rotations, findings] = await Promise.all([
      view.list('deployment'),
      view.list('configurationSync'),
      view.list('secretRotation'),
      view.list('finding'),
    ]);
    return [
      ...new Set([
        ...deployments.filter(isUnderWay).map(({ serviceId }) => serviceId),
        ...syncs.filter(({ mode }) => mode === 'restart-required').map(({ serviceId }) => serviceId),
        ...rotations.flatMap(({ restarts }) => restarts),
        ...findings.filter(({ state }) => state === 'open').map(({ serviceId }) => serviceId),
      ]),
    ];
  }

  async look(run: Run): Promise<Finding> {
    const deployments = await deploymentsOf(run.view, run.key);
    const active = deployments.findLast(isUnderWay);
    if (active !== undefined && isSuperseded(active, deployments)) return supersede(active, run);
    if (active !== undefined) return this.#lookAtRollOut(active, run);
    const reopened = run.isReplay ? findFailed(run, deployments) : undefined;
    if (reopened !== undefined) return this.#reopen(reopened, run);
    return this.#lookAtCauses(deployments, run);
  }

  async giveUp({ key, view, nowMs }: Run, reason: string): Promise<Batch> {
    const active = (await deploymentsOf(view, key)).findLast(isUnderWay);
    return active === undefined ? {} : ended(active, { to: 'failed', step: 'give-up', nowMs, reason });
  }

  async #lookAtRollOut(deployment: RuntimeDeployment, run: Run): Promise<Finding> {
    const { tenantId, environmentId, trace, serviceId, version } = deployment;
    const target = this.#deps.targets.find(deployment.computeTarget);
    const observed = await target.get(serviceId);
    const isGated = deployment.state === 'health-gating';
    const health = isGated ? await healthOf(deployment, target, run) : 'unknown';
    const action = planRollOut(deployment, { observed, health }, run.nowMs);
    if (action.kind === 'none') return { kind: 'rest' };
    if (action.kind === 'wait') return { kind: 'rest', wakeAtMs: action.untilMs };
    const needsSettings = action.kind === 'configure' || (action.kind === 'provision' && target.settingsFirst === true);
    if (needsSettings && (await isHeldBySecrets(deployment, run))) {
      return { kind: 'rest', wakeAtMs: run.nowMs + secretPollMs };
    }
    return {
      kind: 'work',
      what: action.kind,
      tenantId,
      environmentId,
      trace,
      act: (acting) => this.#act({ deployment, action, target, version }, acting),
    };
  }

  async #act(
    step: {
      readonly deployment: RuntimeDeployment;
      readonly action: Exclude<RollOutAction, { kind: 'none' | 'wait' }>;
      readonly target: ComputeTarget;
      readonly version: string;
    },
    run: ActingRun,
  ): Promise<Batch> {
    const { deployment, action, target, version } = step;
    const { nowMs } = run;
    const next = (transition: Omit<Transition, 'nowMs'>): Batch => ended(deployment, { ...transition, nowMs });
    switch (action.kind) {
      case 'begin': {
        const to = deployment.mode === 'roll-out' ? 'provisioning' : 'rolling-out';
        const { previousVersion, shares } = action;
        const asked = causedBy(deployment, run);
        return ended(asked, {
          to,
          step: 'begin',
          nowMs,
          ...(previousVersion === undefined ? {} : { previousVersion }),
          ...(deployment.mode === 'traffic' ? { previousShares: shares } : {}),
        });
      }
      case 'provision':
        return this.#provision(deployment, target, run);
      case 'configure':
        await this.#configure(deployment, target, run);
        return next({ to: 'rolling-out', step: 'configure', stage: 0 });
      case 'restart':
        await target.restart(deployment, run.signal);
        return next({ to: 'health-gating', step: 'restart', stage: 0 });
      case 'shift':
        await target.setTraffic(deployment, sharesOf(version, action.percent, deployment.previousVersion));
        return next({ to: 'health-gating', step: `shift-${action.stage}`, message: `${action.percent} %` });
      case 'pass-gate': {
        const step = `gate-${action.stage}`;
        if (action.isLast) return next({ to: 'promoting', step });
        return next({ to: 'rolling-out', step, stage: action.stage + 1 });
      }
      case 'fail-gate': {
        const to = deployment.mode === 'restart' ? 'failed' : 'rolling-back';
        return next({ to, step: `gate-${action.stage}`, reason: action.reason });
      }
      case 'promote':
        if (deployment.mode === 'roll-out') await target.setTraffic(deployment, [{ version, weight: 100 }]);
        return next({ to: 'completed', step: 'promote' });
      case 'share':
        return this.#share(deployment, target, run);
      case 'share-back':
        await target.setTraffic(deployment, action.shares, { reason: 'rollback' });
        return next({ to: 'rolled-back', step: 'roll-back' });
      case 'roll-back':
        await target.setTraffic(deployment, [{ version: action.to, weight: 100 }]);
        await target.retire(deployment, version);
        return next({ to: 'rolled-back', step: 'roll-back' });
      case 'clean-up':
        if (deployment.previousVersion === undefined) await target.retire(deployment, version);
        return next({ to: 'failed', step: 'clean-up' });
    }
  }

  /** Whoever asked waits for it: it is not tried again, but taken back. */
  async #share(deployment: RuntimeDeployment, target: ComputeTarget, run: ActingRun): Promise<Batch> {
    const { traffic, previousShares = [] } = deployment;
    const { shares = [], reason = 'traffic', revision } = traffic ?? {};
    const said = shares.map(({ version, weight }) => `${version} ${weight} %`).join(', ');
    const { nowMs } = run;
    try {
      await target.setTraffic(deployment, shares, { reason, ...(revision === undefined ? {} : { revision }) });
      return ended(deployment, { to: 'completed', step: 'share', nowMs, message: said });
    } catch (thrown) {
      if (run.signal.aborted) throw thrown;
      // What was refused has changed nothing.
      const isRefused = isPlatformError(thrown) && thrown.blame === 'user';
      const to = isRefused || previousShares.length === 0 ? 'failed' : 'rolling-back';
      return ended(deployment, { to, step: 'share', nowMs, reason: messageOf(thrown), ...faultCodeOf(thrown) });
    }
  }

  async #provision(deployment: RuntimeDeployment, target: ComputeTarget, run: ActingRun): Promise<Batch> {
    const { nowMs } = run;
    // What a container is not given when it starts it never gets.
    if (target.settingsFirst === true) await this.#configure(deployment, target, run);
    const outcome = await target.provision(deployment, deployment.version, run.signal);
    if (outcome.kind === 'ready') return ended(deployment, { to: 'configuring', step: 'provision', nowMs });
    await target.retire(deployment, deployment.version);
    return ended(deployment, { to: 'failed', step: 'provision', nowMs, reason: outcome.reason });
  }

  async #configure(deployment: RuntimeDeployment, target: ComputeTarget, run: ActingRun): Promise<void> {
    const limits = deployment.limits ?? (await limitsOf(deployment.serviceId, run));
    if (limits !== undefined) await target.setLimits(deployment, limits);
    const { configurationId } = deployment;
    if (configurationId === undefined) return;
    const configuration = await run.view.get('configuration', configurationId);
    if (configuration === undefined || configuration.tenantId !== deployment.tenantId) return;
    const settings = await resolveSettings({ view: run.view, vault: this.#deps.vault }, configuration);
    const applied = await applySettings(target, deployment, settings);
    if (applied.kind !== 'differs') return;
    throw workerErrors.create('CONFIGURATION_NOT_APPLIED', {
      ...{ configurationId, version: configuration.version, failed: deployment.serviceId },
      reason: `it still has others: ${applied.names.join(', ')}`,
    });
  }

  #reopen(failed: RuntimeDeployment, run: Run): Finding {
    const { tenantId, environmentId, trace } = failed;
    const {
      finishedAt: _,
      reason: __,
      ...rest
    } = advance(failed, { to: 'requested', step: 'replay', nowMs: run.nowMs });
    const act = async (): Promise<Batch> => ({ puts: [put('deployment', rest)] });
    return { kind: 'work', what: 'replay', tenantId, environmentId, trace, act };
  }

  async #lookAtCauses(deployments: readonly RuntimeDeployment[], run: Run): Promise<Finding> {
    const { key: serviceId, view } = run;
    const [spec, service] = await Promise.all([view.get('serviceSpec', serviceId), view.get('service', serviceId)]);
    const environmentId = spec?.environmentId ?? service?.environmentId ?? deployments[0]?.environmentId;
    const environment = environmentId === undefined ? undefined : await view.get('environment', environmentId);
    if (environment === undefined) return { kind: 'rest' };
    const { tenantId } = environment;
    const [syncs, rotations, findings, requests] = await Promise.all([
      view.list('configurationSync', { tenantId, serviceId }),
      view.list('secretRotation', { tenantId }),
      view.list('finding', { tenantId, serviceId }),
      view.list('workRequest', { tenantId }),
    ]);
    const asked = requests.filter(({ kind }) => kind === 'remediate');
    const sight = { serviceId, environment, spec, service, syncs, rotations, findings, requests: asked, deployments };
    const plan = planCauses(sight, run.nowMs, run.trace);
    if (plan.kind === 'none')
      return { kind: 'rest', ...(plan.wakeAtMs === undefined ? {} : { wakeAtMs: plan.wakeAtMs }) };
    const { deployment, answered } = plan;
    const act = async (): Promise<Batch> => ({
      puts: [put('deployment', deployment)],
      removes: [
        ...answered.map(({ requestId }) => ({ kind: 'workRequest', id: requestId }) as const),
        ...forgotten(deployments).map(({ deploymentId }) => ({ kind: 'deployment', id: deploymentId }) as const),
      ],
    });
    return {
      kind: 'work',
      what: 'request',
      tenantId: deployment.tenantId,
      environmentId: environment.environmentId,
      act,
    };
  }
}

/** Who shares the traffic by hand wants that, and not what a roll-out would make of it. */
function isSuperseded({ mode, state }: RuntimeDeployment, deployments: readonly RuntimeDeployment[]): boolean {
  const isOpen = mode === 'roll-out' && state !== 'promoting' && state !== 'rolling-back';
  return isOpen && deployments.some((one) => one.mode === 'traffic' && isUnderWay(one));
}

function supersede(deployment: RuntimeDeployment, { nowMs }: Run): Finding {
  const { tenantId, environmentId, trace } = deployment;
  const reason = 'the traffic was shared by hand meanwhile';
  const act = async (): Promise<Batch> => ended(deployment, { to: 'failed', step: 'supersede', nowMs, reason });
  return { kind: 'work', what: 'supersede', tenantId, environmentId, trace, act };
}

/** Newest first. */
async function deploymentsOf(view: DomainView, serviceId: string): Promise<readonly RuntimeDeployment[]> {
  const found = await view.list('deployment', { serviceId });
  return [...found].sort(
    (left, right) => right.createdAt - left.createdAt || (left.deploymentId < right.deploymentId ? 1 : -1),
  );
}

/** Those that finished and are too old to be of use, room for one more included. */
function forgotten(deployments: readonly RuntimeDeployment[]): readonly RuntimeDeployment[] {
  return deployments.slice(historyLimit - 1).filter((deployment) => !isUnderWay(deployment));
}

function findFailed({ cause }: Run, deployments: readonly RuntimeDeployment[]): RuntimeDeployment | undefined {
  const deploymentId = payloadText(cause?.payload, 'deploymentId');
  return deployments.find((one) => one.deploymentId === deploymentId && one.state === 'failed');
}

/** The limits of the manifest; none where a policy moves them, and none where no manifest says any. */
async function limitsOf(serviceId: string, { view }: Run): Promise<ServiceLimits | undefined> {
  const [spec, state] = await Promise.all([view.get('serviceSpec', serviceId), view.get('scalingState', serviceId)]);
  return spec?.origin === 'manifest' && state === undefined ? spec.limits : undefined;
}

/** From now on the deployment follows from the event that asked for it, where that is how it came here. */
function causedBy(deployment: RuntimeDeployment, { cause }: Run): RuntimeDeployment {
  return cause?.traceId === deployment.trace.traceId ? { ...deployment, trace: traceOf(cause) } : deployment;
}

/** What the target says of the version, and what the probes have said of the service since it has traffic. */
async function healthOf(deployment: RuntimeDeployment, target: ComputeTarget, { view }: Run): Promise<VersionHealth> {
  const said = await target.healthOf(deployment.serviceId, deployment.version);
  if (said === 'unhealthy') return said;
  const record = await view.get('health', deployment.serviceId);
  const isFresh = record !== undefined && record.since >= deployment.stage.since;
  return isFresh && record.status === 'unhealthy' ? 'unhealthy' : said;
}

/** A secret that is on its way is worth waiting for; one that never comes is told by the step that needs it. */
async function isHeldBySecrets({ configurationId, steps }: RuntimeDeployment, { view, nowMs }: Run): Promise<boolean> {
  const since = steps.at(-1)?.at ?? 0;
  if (configurationId === undefined || nowMs >= since + secretPatienceMs) return false;
  const configuration = await view.get('configuration', configurationId);
  return configuration !== undefined && isWaitingForSecrets(view, configuration);
}

const endEvents: Partial<Record<RuntimeDeployment['state'], EventType>> = {
  completed: 'RuntimeDeploymentCompleted',
  'rolled-back': 'RuntimeDeploymentRolledBack',
  failed: 'RuntimeDeploymentFailed',
};

/** The record after the step; the end of a deployment is told with it. */
function ended(deployment: RuntimeDeployment, transition: Transition): Batch {
  const record = advance(deployment, transition);
  const eventType = endEvents[record.state];
  return {
    puts: [put('deployment', record)],
    ...(eventType === undefined ? {} : { events: [toEvent(record, eventType)] }),
  };
}

function toEvent(record: RuntimeDeployment, eventType: EventType): EventDraft {
  const { tenantId, environmentId, serviceId, deploymentId, version, computeTarget, reason, previousVersion } = record;
  return {
    eventType,
    tenantId,
    environmentId,
    subject: serviceId,
    payload: {
      ...{ serviceId, deploymentId, version, computeTarget },
      ...(reason === undefined ? {} : { reason }),
      ...(previousVersion === undefined ? {} : { previousVersion }),
    },
  };
}
