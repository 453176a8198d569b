/**
 * SecretRotationWorker: gives secrets new values, in such an order that no service is ever without a good one.
 *
 * There are two credentials of each secret, and one is in use. The other one is made, tried, given to the services and read
 * back from them; only then, after a time of grace, the old one is taken away. Keys are secret bindings.
 *
 * I1 A version gets one value: it is kept in the vault before anything else knows it, and a crash goes on with it.
 * I2 The old credential is taken away only after the new one was tried and the services were read back with it.
 * I3 While a step fails, what is in use stays in use, and an alert tells of it after the last try.
 * I4 No value stands anywhere but in the vault, at what it opens, and in the settings of the services.
 */
import { type Random, Secret } from '@switchyard/kernel';
import type { EventEnvelope } from '@switchyard/protocol';
import type { Alert, SecretBinding, SecretRotation } from '@switchyard/protocol/control-api';
import { payloadText } from '../../domain/events.ts';
import { put } from '../../domain/records.ts';
import type { ActingRun, Batch, DomainView, EventDraft, Finding, Run, Worker } from '../../frame/contract.ts';
import { workerErrors } from '../../frame/errors.ts';
import type { ComputeTargets } from '../../targets/contract.ts';
import type { Vault } from '../../targets/vault.ts';
import { applySettings } from '../configuration/apply-settings.ts';
import { toAlertEvent } from '../health/health-worker.ts';
import { credentialOf, planRotation, type RotationAction } from './rotation-plan.ts';
import type { RotationTarget, RotationTargets } from './rotation-target.ts';

export interface SecretsDeps {
  readonly random: Pick<Random, 'bytes'>;
  readonly targets: ComputeTargets;
  readonly vault: Vault;
  readonly rotationTargets: RotationTargets;
}

const passwordBytes = 32;

export class SecretsWorker implements Worker {
  readonly name = 'secrets';
  readonly #deps: SecretsDeps;

  constructor(deps: SecretsDeps) {
    this.#deps = deps;
  }

  async keysOf({ payload }: EventEnvelope): Promise<readonly string[]> {
    const secretBindingId = payloadText(payload, 'secretBindingId');
    return secretBindingId === undefined ? [] : [secretBindingId];
  }

  async keysOfTick(view: DomainView): Promise<readonly string[]> {
    return (await view.list('secretBinding')).map(({ secretBindingId }) => secretBindingId);
  }

  async look({ key, view, nowMs }: Run): Promise<Finding> {
    const binding = await view.get('secretBinding', key);
    if (binding === undefined) return { kind: 'rest' };
    const { tenantId, environmentId } = binding;
    const [rotations, request] = await Promise.all([
      view.list('secretRotation', { tenantId }),
      view.get('workRequest', requestIdOf(key)),
    ]);
    const rotation = rotations.find(({ secretBindingId }) => secretBindingId === key);
    const isTenantBusy = rotations.some((one) => one.secretBindingId !== key && one.pendingVersion !== undefined);
    const isRequested = request !== undefined;
    const action = planRotation(binding, rotation, { isRequested, isTenantBusy }, nowMs);
    if (action.kind === 'wait') return { kind: 'rest', wakeAtMs: action.untilMs };
    const record = rotation ?? firstRotation(binding);
    const act = (run: ActingRun): Promise<Batch> => this.#act(binding, record, { action, isRequested }, run);
    return { kind: 'work', what: action.kind, tenantId, environmentId, act };
  }

  async giveUp({ key, view, nowMs }: Run, reason: string): Promise<Batch> {
    const [binding, rotation, alert] = await Promise.all([
      view.get('secretBinding', key),
      view.get('secretRotation', key),
      view.get('alert', alertIdOf(key)),
    ]);
    if (binding === undefined) return {};
    const record = {
      ...(rotation ?? firstRotation(binding)),
      failures: (rotation?.failures ?? 0) + 1,
      reason: reason.slice(0, 1_000),
    };
    if (alert?.state === 'raised') return { puts: [put('secretRotation', record)] };
    const raised = toAlert(binding, 'raised', `The rotation of ${key} fails: ${reason}`, nowMs);
    return { puts: [put('secretRotation', record), put('alert', raised)], events: [toAlertEvent(raised)] };
  }

  async #act(
    binding: SecretBinding,
    rotation: SecretRotation,
    {
      action,
      isRequested,
    }: { readonly action: Exclude<RotationAction, { kind: 'wait' }>; readonly isRequested: boolean },
    run: ActingRun,
  ): Promise<Batch> {
    const target = this.#deps.rotationTargets[binding.target.kind];
    const { version } = action;
    switch (action.kind) {
      case 'begin': {
        const removes = isRequested ? [{ kind: 'workRequest', id: requestIdOf(run.key) } as const] : [];
        return { puts: [put('secretRotation', { ...rotation, state: 'creating', pendingVersion: version })], removes };
      }
      case 'create': {
        const value = await this.#valueOf(binding, version, target);
        await target.install(binding, credentialOf(binding, version), value);
        await requireVerified(binding, target, value);
        return { puts: [put('secretRotation', { ...rotation, state: 'binding' })] };
      }
      case 'bind': {
        const restarts = await this.#bind(binding, await this.#valueOf(binding, version, target), run);
        return { puts: [put('secretRotation', { ...rotation, state: 'verifying', restarts: [...restarts] })] };
      }
      case 'verify': {
        const value = await this.#valueOf(binding, version, target);
        await requireVerified(binding, target, value);
        const restarts = await this.#bind(binding, value, run);
        return this.#rotated(binding, { ...rotation, restarts: union(rotation.restarts, restarts) }, version, run);
      }
      case 'retire':
        await this.#requireInUse(binding, rotation.version, target, run);
        await target.disable(binding, credentialOf(binding, version));
        await this.#deps.vault.disable({ tenantId: binding.tenantId, name: binding.secretBindingId, version });
        return retired(binding, rotation, version);
    }
  }

  /** The value of a version: the one that the vault has, or a new one that it has from now on. */
  async #valueOf(binding: SecretBinding, version: number, target: RotationTarget): Promise<Secret> {
    const { tenantId, secretBindingId: name } = binding;
    const { vault, random } = this.#deps;
    const known = await vault.read({ tenantId, name, version });
    if (known !== undefined) return known;
    const password = new Secret(Buffer.from(random.bytes(passwordBytes)).toString('base64url'));
    const value = await target.compose(binding, credentialOf(binding, version), password);
    return vault.keep({ tenantId, name, version }, value);
  }

  /** Gives the value to the services; answers with those that only a restart brings to it. */
  async #bind(binding: SecretBinding, value: Secret, { view }: Run): Promise<readonly string[]> {
    const restarts: string[] = [];
    const { secretBindingId, tenantId, settingName } = binding;
    for (const serviceId of binding.serviceIds) {
      const spec = await view.get('serviceSpec', serviceId);
      if (spec === undefined || spec.tenantId !== tenantId) continue;
      const target = this.#deps.targets.find(spec.computeTarget);
      // A service that does not run yet gets the value with its deployment.
      if ((await target.get(serviceId)) === undefined) continue;
      const applied = await applySettings(target, spec, new Map([[settingName, value]]));
      if (applied.kind === 'differs') {
        const reason = `${serviceId} still has another value`;
        throw workerErrors.create('SECRET_UNVERIFIED', { secretBindingId, reason });
      }
      if (applied.kind === 'applied' && applied.mode === 'restart-required') restarts.push(serviceId);
    }
    return restarts;
  }

  /** Nobody may need the old credential any more: those that wait for a restart must have had it. */
  async #requireInUse(binding: SecretBinding, version: number, target: RotationTarget, run: Run): Promise<void> {
    const late = await this.#bind(binding, await this.#valueOf(binding, version, target), run);
    if (late.length === 0) return;
    const { secretBindingId } = binding;
    const reason = `${late.join(', ')} must restart first`;
    throw workerErrors.create('SECRET_UNVERIFIED', { secretBindingId, reason });
  }

  async #rotated(binding: SecretBinding, rotation: SecretRotation, version: number, run: ActingRun): Promise<Batch> {
    const { secretBindingId, tenantId, environmentId, graceMs } = binding;
    const alert = await run.view.get('alert', alertIdOf(secretBindingId));
    const { pendingVersion: _, reason: __, retireAt: ___, ...rest } = rotation;
    const hasOld = version > 1;
    const record: SecretRotation = {
      ...{ ...rest, version, rotatedAt: run.nowMs, failures: 0 },
      state: hasOld ? 'retiring' : 'idle',
      ...(hasOld ? { retireAt: run.nowMs + graceMs } : {}),
    };
    const cleared =
      alert?.state === 'raised'
        ? toAlert(binding, 'cleared', `${secretBindingId} rotates again`, run.nowMs)
        : undefined;
    const payload = { secretBindingId, version, serviceIds: [...binding.serviceIds], restarts: [...rotation.restarts] };
    const event: EventDraft = {
      eventType: 'SecretRotated',
      tenantId,
      environmentId,
      subject: secretBindingId,
      payload,
    };
    return {
      puts: [put('secretRotation', record), ...(cleared === undefined ? [] : [put('alert', cleared)])],
      events: [event, ...(cleared === undefined ? [] : [toAlertEvent(cleared)])],
    };
  }
}

export function requestIdOf(secretBindingId: string): string {
  return `rotate/${secretBindingId}`;
}

function alertIdOf(secretBindingId: string): string {
  return `secret-rotation/${secretBindingId}`;
}

async function requireVerified(binding: SecretBinding, target: RotationTarget, value: Secret): Promise<void> {
  const verdict = await target.verify(binding, value);
  if (verdict.kind === 'works') return;
  const { secretBindingId } = binding;
  throw workerErrors.create('SECRET_UNVERIFIED', { secretBindingId, reason: verdict.reason });
}

function retired(binding: SecretBinding, rotation: SecretRotation, version: number): Batch {
  const { secretBindingId, tenantId, environmentId } = binding;
  const { retireAt: _, ...rest } = rotation;
  const payload = { secretBindingId, version };
  return {
    puts: [put('secretRotation', { ...rest, state: 'idle' })],
    events: [{ eventType: 'SecretRetired', tenantId, environmentId, subject: secretBindingId, payload }],
  };
}

function firstRotation({ secretBindingId, tenantId, environmentId }: SecretBinding): SecretRotation {
  const none = { state: 'idle', version: 0, rotatedAt: 0, failures: 0 } as const;
  return { secretBindingId, tenantId, environmentId, ...none, restarts: [] };
}

function toAlert(binding: SecretBinding, state: Alert['state'], message: string, since: number): Alert {
  const { secretBindingId, tenantId, environmentId } = binding;
  const alertId = alertIdOf(secretBindingId);
  const of = { alertId, tenantId, environmentId, subject: secretBindingId, kind: 'secret-rotation' } as const;
  return { ...of, state, message: message.slice(0, 1_000), since };
}

function union(left: readonly string[], right: readonly string[]): string[] {
  return [...new Set([...left, ...right])];
}
