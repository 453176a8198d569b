/**
 * Runs the roll-outs of an installation: looks at the versions, lets the gate judge, and asks for the traffic to be shared.
 *
 * Ownership: the composition root owns it. The store keeps each app's latest roll-out; the catalog alone keeps the weights.
 *
 * I1 An app has one roll-out at a time.
 * I2 Weights are asked for at the revision that this roll-out has seen, one change at a time; who changed them in between has
 *    taken over, and the roll-out ends without touching them. A change that was cut off is made up for at the next look.
 * I3 A roll-out goes on after a restart with the step that it was in, whose time begins anew.
 * I4 Of several controllers on one store only one takes a roll-out further: the others lose the write.
 * I5 After `close` nothing is looked at.
 */
import { type Clock, type Log, messageOf, type Timer } from '@switchyard/kernel';
import type { Trace } from '@switchyard/protocol/control-api';
import { scaleErrors } from '../errors.ts';
import type { ScaledRuntime } from '../loop/scaled-runtime.ts';
import type { ScaleStore } from '../store/contract.ts';
import { act, advance, type RolloutAction } from './advance.ts';
import { judge, type Verdict } from './judge.ts';
import {
  defaultGate,
  defaultSteps,
  type HealthGate,
  isOver,
  type Rollout,
  type RolloutStep,
  type RolloutStrategy,
  weightsOf,
  withEvent,
} from './rollout.ts';
import { readRollout } from './stored-rollout.ts';
import { addCounters, type HealthCounters, healthBetween, noCounters, type VersionHealth } from './version-health.ts';

/** The traffic of an app, as the catalog has it. */
export interface RolloutTraffic {
  get(applicationId: string): TrafficView;
  /** Resolves when new requests are shared so; rejects with a PlatformError when they are not. */
  set(applicationId: string, change: TrafficChange): Promise<TrafficView>;
}

export interface TrafficView {
  readonly revision: number;
  readonly weights: readonly { readonly codeVersion: string; readonly weight: number }[];
}

export interface TrafficChange {
  readonly weights: readonly { readonly codeVersion: string; readonly weight: number }[];
  readonly reason: 'traffic' | 'rollback';
  readonly revision: number;
  readonly by: RolloutAsker;
}

/** Who wants it, and what it is a part of. */
export interface RolloutAsker {
  readonly subject: string;
  readonly trace?: Trace;
}

export interface RolloutRunnerDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: ScaleStore;
  readonly traffic: RolloutTraffic;
  readonly runtime: Pick<ScaledRuntime, 'load'>;
  /** The upper ends of the classes in which the Runtime counts durations. */
  readonly durationClassesMs: readonly number[];
  /** The catalog's name of a version that the Runtime knows by another. */
  readonly catalogVersionOf?: (codeVersion: string) => string;
  readonly mayDecide?: () => boolean;
}

/** What a person asks for. */
export interface RolloutRequest {
  readonly strategy: RolloutStrategy;
  readonly to: string;
  readonly steps?: readonly RolloutStep[];
  /** For steps that are not named. */
  readonly holdMs?: number;
  readonly gate?: Partial<HealthGate>;
}

export interface RolloutView {
  readonly rollout: Rollout;
  /** How both versions have done in the present step; undefined when the roll-out is over. */
  readonly health:
    | { readonly fresh: VersionHealth; readonly old: VersionHealth; readonly verdict: Verdict }
    | undefined;
}

export interface RolloutRunner {
  start(applicationId: string, request: RolloutRequest, by?: RolloutAsker): Promise<RolloutView>;
  get(applicationId: string): Promise<RolloutView | undefined>;
  act(applicationId: string, action: RolloutAction, by?: RolloutAsker): Promise<RolloutView>;
  /** Looks at every roll-out that is under way. */
  tick(): Promise<void>;
  close(): void;
}

/** What the counters said when a step began. */
interface Baseline {
  readonly step: number;
  readonly fresh: HealthCounters;
  readonly old: HealthCounters;
}

const tickMs = 500;
const defaultHoldMs = 60_000;

/** Who wants what nobody has asked for by hand. */
const runnerName = 'switchyard/rollout';
const itself: RolloutAsker = { subject: runnerName };

export function createRolloutRunner(deps: RolloutRunnerDeps): RolloutRunner {
  const runner = new StoredRollouts(deps);
  runner.begin();
  return runner;
}

class StoredRollouts implements RolloutRunner {
  readonly #deps: RolloutRunnerDeps;
  readonly #baselines = new Map<string, Baseline>();
  /** Apps whose traffic is being changed by this runner. */
  readonly #changing = new Set<string>();
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(deps: RolloutRunnerDeps) {
    this.#deps = deps;
  }

  begin(): void {
    if (this.#isClosed) return;
    this.#timer = this.#deps.clock.schedule(tickMs, () => void this.tick().then(() => this.begin()));
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  async start(applicationId: string, request: RolloutRequest, by: RolloutAsker = itself): Promise<RolloutView> {
    const { clock, store, traffic } = this.#deps;
    const present = await store.read('rollout', applicationId);
    const before = readRollout(present?.body);
    const refuse = (reason: string): never => {
      throw scaleErrors.create('ROLLOUT_REFUSED', { applicationId, reason });
    };
    if (before !== undefined && !isOver(before)) refuse(`one from ${before.from} to ${before.to} is under way`);
    const { revision, weights } = traffic.get(applicationId);
    const from = weights.find(({ weight }) => weight === 100)?.codeVersion;
    if (from === undefined) return refuse('no single version has all the traffic, so there is none to go back to');
    if (from === request.to) refuse(`${request.to} has all the traffic already`);
    const nowMs = clock.now();
    const steps = request.steps ?? defaultSteps(request.strategy, request.holdMs ?? defaultHoldMs);
    const rollout: Rollout = {
      ...{ applicationId, strategy: request.strategy, from, to: request.to, steps, startedAtMs: nowMs },
      gate: { ...defaultGate, ...request.gate },
      state: { kind: 'running', step: 0, sinceMs: nowMs },
      history: [{ atMs: nowMs, text: `${steps[0]?.weight ?? 0} %` }],
      trafficRevision: revision,
      ...(by.trace === undefined ? {} : { trace: by.trace }),
      isSettled: false,
    };
    this.#baselines.delete(applicationId);
    return await this.#put(rollout, present?.revision ?? 0, by.subject);
  }

  async get(applicationId: string): Promise<RolloutView | undefined> {
    const rollout = readRollout((await this.#deps.store.read('rollout', applicationId))?.body);
    return rollout && this.#view(rollout);
  }

  async act(applicationId: string, action: RolloutAction, by: RolloutAsker = itself): Promise<RolloutView> {
    const document = await this.#deps.store.read('rollout', applicationId);
    const rollout = readRollout(document?.body);
    if (document === undefined || rollout === undefined) {
      throw scaleErrors.create('ROLLOUT_REFUSED', { applicationId, reason: 'there is none' });
    }
    const outcome = act(rollout, action, this.#deps.clock.now());
    if (outcome.kind === 'refused') {
      throw scaleErrors.create('ROLLOUT_REFUSED', { applicationId, reason: outcome.reason });
    }
    this.#baselines.delete(applicationId);
    const { revision: trafficRevision } = this.#deps.traffic.get(applicationId);
    const { trace = outcome.rollout.trace } = by;
    const rolled = { ...outcome.rollout, trafficRevision, ...(trace === undefined ? {} : { trace }) };
    return await this.#put(rolled, document.revision, by.subject);
  }

  async tick(): Promise<void> {
    if (this.#isClosed || this.#deps.mayDecide?.() === false) return;
    try {
      for (const { key, revision, body } of await this.#deps.store.list('rollout')) {
        const rollout = readRollout(body);
        const isOurs = rollout !== undefined && !rollout.isSettled && !this.#changing.has(key);
        if (isOurs && !this.#isClosed) await this.#look(key, rollout, revision);
      }
    } catch (thrown) {
      this.#deps.log.write('error', 'A look at the roll-outs failed', { reason: messageOf(thrown) });
    }
  }

  async #look(applicationId: string, rollout: Rollout, revision: number): Promise<void> {
    const { clock, traffic, log } = this.#deps;
    const nowMs = clock.now();
    try {
      const view = traffic.get(applicationId);
      if (!areEqual(view.weights, weightsOf(rollout) ?? view.weights)) {
        // What did not take effect leaves the roll-out paused, with the traffic as it was: somebody looks at it first.
        if (view.revision !== rollout.trafficRevision) await this.#supersede(rollout, revision, nowMs);
        else if (rollout.state.kind !== 'paused') await this.#put(rollout, revision);
        return;
      }
      const { health } = this.#view(rollout);
      const next = health === undefined ? rollout : advance(rollout, health.verdict, nowMs);
      if (next !== rollout || isOver(rollout)) await this.#put({ ...next, trafficRevision: view.revision }, revision);
    } catch (thrown) {
      log.write('error', 'A roll-out could not be taken further', { applicationId, reason: messageOf(thrown) });
    }
  }

  async #supersede(rollout: Rollout, revision: number, atMs: number): Promise<void> {
    const { store, log } = this.#deps;
    const { applicationId } = rollout;
    const ended = withEvent({ ...rollout, state: { kind: 'superseded', atMs }, isSettled: true }, atMs, 'superseded');
    await store.write('rollout', applicationId, ended, revision);
    log.write('warning', 'A roll-out ended because the traffic was changed by hand', { applicationId });
  }

  /** Keeps it, then sets what it wants of the traffic: who may change that is the one who wrote the document. */
  async #put(rollout: Rollout, expected: number, subject = runnerName): Promise<RolloutView> {
    const { applicationId } = rollout;
    if (this.#changing.has(applicationId)) {
      throw scaleErrors.create('ROLLOUT_REFUSED', { applicationId, reason: 'its traffic is being changed' });
    }
    this.#changing.add(applicationId);
    try {
      return await this.#change(rollout, expected, subject);
    } finally {
      this.#changing.delete(applicationId);
    }
  }

  async #change(rollout: Rollout, expected: number, subject: string): Promise<RolloutView> {
    const { store, traffic, log } = this.#deps;
    const { applicationId, from, to, state, trafficRevision: revision, trace } = rollout;
    const written = await store.write('rollout', applicationId, rollout, expected);
    if (written.kind === 'conflict') {
      throw scaleErrors.create('ROLLOUT_REFUSED', { applicationId, reason: 'somebody else has just changed it' });
    }
    const weights = weightsOf(rollout);
    const reason = state.kind === 'rolledBack' || state.kind === 'aborted' ? 'rollback' : 'traffic';
    try {
      const by = { subject, ...(trace === undefined ? {} : { trace }) };
      if (weights !== undefined) await traffic.set(applicationId, { weights, reason, revision, by });
    } catch (thrown) {
      await this.#giveUp(rollout, written.revision, messageOf(thrown));
      throw thrown;
    }
    log.write('information', 'A roll-out has set the traffic', { applicationId, from, to, state: state.kind });
    if (!isOver(rollout)) return this.#view(rollout);
    const settled = { ...rollout, isSettled: true };
    await store.write('rollout', applicationId, settled, written.revision);
    return this.#view(settled);
  }

  /** A change that the catalog refused leaves the roll-out paused, for somebody to look at; one that never began is gone. */
  async #giveUp(rollout: Rollout, revision: number, reason: string): Promise<void> {
    const { store, clock } = this.#deps;
    const { applicationId, state, history } = rollout;
    if (history.length <= 1) {
      await store.remove('rollout', applicationId, revision);
      return;
    }
    const step = state.kind === 'running' || state.kind === 'paused' ? state.step : 0;
    const paused = withEvent({ ...rollout, state: { kind: 'paused', step, reason } }, clock.now(), `paused: ${reason}`);
    const { revision: trafficRevision } = this.#deps.traffic.get(applicationId);
    await store.write('rollout', applicationId, { ...paused, trafficRevision }, revision);
  }

  #view(rollout: Rollout): RolloutView {
    const { state, gate, applicationId } = rollout;
    if (state.kind !== 'running' && state.kind !== 'paused') return { rollout, health: undefined };
    const known = this.#baselines.get(applicationId);
    const baseline = known?.step === state.step ? known : this.#begin(rollout, state.step);
    const now = this.#countersOf(rollout);
    const classes = this.#deps.durationClassesMs;
    const fresh = healthBetween(baseline.fresh, now.fresh, classes);
    const recent = healthBetween(baseline.old, now.old, classes);
    // Where the old version gets nothing now, its time before is all there is to compare with.
    const old = recent.calls >= gate.minimumCalls ? recent : healthBetween(noCounters, now.old, classes);
    return { rollout, health: { fresh, old, verdict: judge(gate, fresh, old) } };
  }

  #begin(rollout: Rollout, step: number): Baseline {
    const baseline = { step, ...this.#countersOf(rollout) };
    this.#baselines.set(rollout.applicationId, baseline);
    return baseline;
  }

  #countersOf({ applicationId, from, to }: Rollout): { readonly fresh: HealthCounters; readonly old: HealthCounters } {
    const { runtime, catalogVersionOf = (version) => version } = this.#deps;
    const versions = runtime.load(applicationId);
    const of = (wanted: string): HealthCounters =>
      addCounters(
        versions
          .filter(({ definition }) => catalogVersionOf(definition.codeVersion) === wanted)
          .flatMap(({ functions }) => functions),
      );
    return { fresh: of(to), old: of(from) };
  }
}

type Weights = TrafficView['weights'];

function areEqual(one: Weights, other: Weights): boolean {
  const textOf = (weights: Weights): string =>
    weights
      .filter(({ weight }) => weight > 0)
      .map(({ codeVersion, weight }) => `${codeVersion} ${weight}`)
      .sort()
      .join();
  return textOf(one) === textOf(other);
}
