/**
 * Looks at what a Runtime has to do, decides how many workers each version gets, and tells the Runtime.
 *
 * Levels, not edges: every look reads everything anew, so a look that is missed, or a controller that was restarted, changes
 * nothing but the moment. What it remembers between looks only smooths.
 *
 * Ownership: the composition root owns the loop; the loop owns a memory for each version that is awake.
 *
 * I1 One look follows the other after `intervalMs`, and sooner for a while when an app was woken; one that throws is logged,
 *    and the next one comes all the same.
 * I2 A version is told its number only when that changes, or its limits do.
 * I3 Of a tenant all versions together never want more workers than its quota, but for the one that each keeps while it has
 *    something to do.
 * I4 What is kept of a version goes when it sleeps or is gone.
 * I5 After `close` nothing is looked at and no timer is left.
 * I6 While the workers for a burst are on their way, those that are there get no more than their target at once, so that the
 *    rest of the burst goes to those that come; that ends when they are there, when a start fails, or after `spreadMs`. What
 *    wakes an app may be a burst, until `hurriedForMs` have shown that it is none.
 */
import { type Clock, type Log, type Meter, messageOf, type Timer } from '@switchyard/kernel';
import type { ApplicationDefinition, Stack } from '@switchyard/model';
import type { WorkerUsage } from '@switchyard/protocol';
import { decide, type ScaleDecision, type ScaleMemory } from '../decide/decide.ts';
import { explainDecision } from '../decide/explain-decision.ts';
import type { ScalePolicy } from '../decide/scale-policy.ts';
import type { ScaleSignals, SourceBacklog } from '../decide/signals.ts';
import { type AppScale, defaultPlatformScale, type PlatformScale, PolicyMemo } from './app-policy.ts';
import { Observation } from './observation.ts';
import { type ObservedVersion, type ScaledRuntime, versionKey } from './scaled-runtime.ts';

export interface ScaleLoopDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  readonly runtime: ScaledRuntime;
  /** What the owner of an app has said. */
  readonly scaleOf: (applicationId: string) => AppScale;
  /** Apps that are looked at also when they sleep: they keep workers, or something waits for them. */
  readonly keepers?: () => Iterable<string>;
  /** Workers that a tenant may have at once; undefined for no quota. */
  readonly quotaOf?: (tenantId: string) => number | undefined;
  /** What waits in the queues and streams of an app. */
  readonly sourcesOf?: (applicationId: string) => readonly SourceBacklog[];
  readonly usageOf?: (workerId: string) => WorkerUsage | undefined;
  /** So many workers of a stack are about to be asked for. */
  readonly announce?: (stack: Stack, count: number) => void;
  /** False while another controller decides. */
  readonly mayDecide?: () => boolean;
}

export interface ScaleLoopOptions {
  readonly intervalMs?: number;
  readonly platform?: PlatformScale;
}

/** The last decision on a version, with all that it was made of. */
export interface ExplainedDecision {
  readonly atMs: number;
  readonly version: ObservedVersion;
  readonly signals: ScaleSignals;
  readonly policy: ScalePolicy;
  readonly decision: ScaleDecision;
  readonly explanation: string;
}

/** A change of a target that was made. */
export interface ScaleChange {
  readonly atMs: number;
  readonly codeVersion: string;
  readonly from: number;
  readonly to: number;
  readonly rule: string;
  readonly explanation: string;
}

export interface ScaleLoop {
  /** Looks now. */
  tick(): void;
  /** The latest decisions for the versions of an app; those that would be made for versions that sleep. */
  explain(applicationId: string): readonly ExplainedDecision[];
  /** The mean share of their processors that the workers of a version used at the last look. */
  cpuShareOf(definition: ApplicationDefinition): number | undefined;
  /** The latest changes of an app, newest first. */
  changesOf(applicationId: string): readonly ScaleChange[];
  /** Forgets what it knows of an app that is gone. */
  forget(applicationId: string): void;
  close(): void;
}

const defaultIntervalMs = 200;

/** A burst of so many times what is there is kept for the workers that come ... */
const spreadFactor = 3;

/** ... for so long. */
const spreadMs = 5_000;

/** So often it looks after an app was woken ... */
const hurryMs = 25;

/** ... for so long. */
const hurriedForMs = 300;

/** Changes of an app that are kept for people. */
const maxChanges = 20;

/** Apps whose changes are kept. */
const maxApps = 10_000;

interface Entry {
  readonly observation: Observation;
  readonly policy: PolicyMemo;
  memory: ScaleMemory | undefined;
  last: ExplainedDecision | undefined;
  /** What the Runtime was told last. */
  toldCount: number | undefined;
  /** Until when a burst is kept for workers that are on their way. */
  spreadUntilMs: number;
  /** When it was woken, and had no worker yet; undefined while it sleeps. */
  wokenAtMs: number | undefined;
  toldStanding: number;
  toldLimit: number | undefined;
  isTold: boolean;
  seenAtMs: number;
}

function createEntry(seenAtMs: number): Entry {
  const memories = { memory: undefined, last: undefined, toldCount: undefined, toldStanding: 0, toldLimit: undefined };
  const burst = { spreadUntilMs: Number.NEGATIVE_INFINITY, wokenAtMs: undefined };
  return { observation: new Observation(), policy: new PolicyMemo(), ...memories, ...burst, isTold: false, seenAtMs };
}

const noSources: readonly SourceBacklog[] = [];

const noUsage = (): undefined => undefined;

export function createScaleLoop(deps: ScaleLoopDeps, options: ScaleLoopOptions = {}): ScaleLoop {
  const loop = new RuntimeScaleLoop(deps, options);
  loop.start();
  return loop;
}

class RuntimeScaleLoop implements ScaleLoop {
  readonly #deps: ScaleLoopDeps;
  readonly #platform: PlatformScale;
  readonly #intervalMs: number;
  readonly #entries = new Map<string, Entry>();
  readonly #changes = new Map<string, ScaleChange[]>();
  #timer: Timer | undefined;
  #hurriesUntilMs = Number.NEGATIVE_INFINITY;
  #leave: (() => void) | undefined;

  constructor(deps: ScaleLoopDeps, options: ScaleLoopOptions) {
    this.#deps = deps;
    this.#platform = options.platform ?? defaultPlatformScale;
    this.#intervalMs = options.intervalMs ?? defaultIntervalMs;
  }

  start(): void {
    this.#leave = this.#deps.runtime.watchWakes?.(() => this.#hurry());
    this.#schedule();
  }

  close(): void {
    this.#leave?.();
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#entries.clear();
  }

  #schedule(delayMs = this.#intervalMs): void {
    const { clock } = this.#deps;
    this.#timer = clock.schedule(delayMs, () => {
      const isHurried = clock.monotonic() < this.#hurriesUntilMs;
      this.#schedule(isHurried ? Math.min(hurryMs, this.#intervalMs) : this.#intervalMs);
      this.tick();
    });
  }

  /** What has woken an app may be the first of many. */
  #hurry(): void {
    if (this.#timer === undefined) return;
    const nowMs = this.#deps.clock.monotonic();
    const wasHurried = nowMs < this.#hurriesUntilMs;
    this.#hurriesUntilMs = nowMs + hurriedForMs;
    if (wasHurried) return;
    this.#timer.cancel();
    // A worker that was waiting for an app can be ready within the time of the next look.
    this.#schedule(0);
  }

  tick(): void {
    if (this.#timer === undefined || this.#deps.mayDecide?.() === false) return;
    try {
      this.#look();
    } catch (thrown) {
      this.#deps.log.write('error', 'A look at what is to be scaled failed', { reason: messageOf(thrown) });
    }
  }

  explain(applicationId: string): readonly ExplainedDecision[] {
    const wantedOfTenant = sumByTenant(this.#versions());
    return this.#deps.runtime.load(applicationId).map((version) => {
      const last = this.#entries.get(versionKey(version.definition))?.last;
      if (last !== undefined) return last;
      const allowance = this.#allowanceOf(version, wantedOfTenant.get(version.tenantId) ?? 0);
      return this.#decide(version, allowance, createEntry(0));
    });
  }

  cpuShareOf(definition: ApplicationDefinition): number | undefined {
    return this.#entries.get(versionKey(definition))?.last?.signals.cpuShare;
  }

  changesOf(applicationId: string): readonly ScaleChange[] {
    return [...(this.#changes.get(applicationId) ?? [])].reverse();
  }

  forget(applicationId: string): void {
    this.#changes.delete(applicationId);
    for (const key of this.#entries.keys()) if (key.startsWith(`${applicationId}:`)) this.#entries.delete(key);
  }

  #look(): void {
    const nowMs = this.#deps.clock.monotonic();
    const versions = this.#versions();
    const wantedOfTenant = sumByTenant(versions);
    for (const version of versions) {
      const entry = this.#entryOf(version, nowMs);
      const wanted = wantedOfTenant.get(version.tenantId) ?? 0;
      const made = this.#decide(version, this.#allowanceOf(version, wanted), entry);
      entry.memory = made.decision.memory;
      entry.last = made;
      wantedOfTenant.set(version.tenantId, wanted - version.wantedCount + made.decision.target);
      this.#apply(made, entry);
    }
    for (const [key, { seenAtMs }] of this.#entries) if (seenAtMs !== nowMs) this.#entries.delete(key);
  }

  /** Those that are awake, and those that may need workers though they sleep. */
  #versions(): readonly ObservedVersion[] {
    const { runtime, keepers } = this.#deps;
    const awake = runtime.load();
    const keeping = [...(keepers?.() ?? [])];
    if (keeping.length === 0) return awake;
    const known = new Set(awake.map(({ definition }) => versionKey(definition)));
    const kept = keeping.flatMap((applicationId) => runtime.load(applicationId));
    return [...awake, ...kept.filter(({ definition }) => !known.has(versionKey(definition)))];
  }

  #entryOf({ definition }: ObservedVersion, nowMs: number): Entry {
    const key = versionKey(definition);
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = createEntry(nowMs);
      this.#entries.set(key, entry);
    }
    entry.seenAtMs = nowMs;
    return entry;
  }

  /** What the quota leaves for a version, of a tenant whose versions want so many together. */
  #allowanceOf(version: ObservedVersion, wanted: number): number | undefined {
    const quota = this.#deps.quotaOf?.(version.tenantId);
    if (quota === undefined) return undefined;
    const isAtWork = version.waitingCount > 0 || version.functions.some(({ activeCount }) => activeCount > 0);
    return Math.max(isAtWork ? 1 : 0, quota - (wanted - version.wantedCount));
  }

  #decide(version: ObservedVersion, allowance: number | undefined, entry: Entry): ExplainedDecision {
    const { clock, scaleOf, sourcesOf = () => noSources, usageOf = noUsage } = this.#deps;
    const { applicationId } = version.definition;
    const nowMs = clock.monotonic();
    const policy = entry.policy.of(scaleOf(applicationId), version, this.#platform, allowance);
    const sources = shareOf(sourcesOf(applicationId), version.weight);
    const signals = entry.observation.look(version, { sources, usageOf }, nowMs);
    const decision = decide(signals, policy, entry.memory, nowMs);
    return new MadeDecision(clock.now(), version, signals, policy, decision);
  }

  #apply(made: ExplainedDecision, entry: Entry): void {
    const { version, decision, policy } = made;
    const scale = this.#deps.scaleOf(version.definition.applicationId);
    if (scale.paused === true) return;
    const perWorkerLimit = scale.perWorkerLimit ?? this.#spreadLimitOf(made, entry);
    const { target } = decision;
    const { alwaysReady } = policy;
    const isSame = target === version.wantedCount;
    if (isSame) entry.toldCount = undefined;
    const hasLimits = entry.isTold && entry.toldLimit === perWorkerLimit && entry.toldStanding === alwaysReady;
    if (isSame && hasLimits) return;
    // A Runtime that keeps a worker for what runs is asked again, but that is no news.
    if (!isSame && target !== entry.toldCount) this.#note(made);
    entry.isTold = true;
    entry.toldCount = target;
    entry.toldLimit = perWorkerLimit;
    entry.toldStanding = alwaysReady;
    if (target > version.wantedCount) this.#deps.announce?.(version.stack, target - version.wantedCount);
    this.#deps.runtime.scaleTo(version.definition, {
      count: target,
      standing: alwaysReady,
      ...(perWorkerLimit === undefined ? {} : { perWorker: perWorkerLimit }),
      ...(perWorkerLimit === undefined || scale.perWorkerLimit !== undefined ? {} : { isSoft: true }),
    });
  }

  #spreadLimitOf({ version, policy, decision }: ExplainedDecision, entry: Entry): number | undefined {
    const nowMs = this.#deps.clock.monotonic();
    const { readyCount, startFailureCount } = version;
    const isLarge = decision.demand >= spreadFactor * Math.max(1, readyCount);
    // The first worker of an app that wakes must not take a burst as a whole before it was seen for one.
    if (decision.target === 0) entry.wokenAtMs = undefined;
    else if (readyCount === 0) entry.wokenAtMs ??= nowMs;
    const { wokenAtMs = Number.NEGATIVE_INFINITY } = entry;
    const isNew = isLarge && nowMs - wokenAtMs < hurriedForMs;
    const isGrowing = isLarge && decision.target > version.wantedCount;
    if (wokenAtMs === nowMs || isGrowing) entry.spreadUntilMs = nowMs + spreadMs;
    const isThere = readyCount >= decision.target && !isNew;
    const isOver = nowMs >= entry.spreadUntilMs || isThere || startFailureCount > 0;
    if (isOver) entry.spreadUntilMs = Number.NEGATIVE_INFINITY;
    return isOver ? undefined : policy.targetConcurrency;
  }

  #note({ atMs, version, decision, explanation }: ExplainedDecision): void {
    const { applicationId, codeVersion } = version.definition;
    const { rule, target: to } = decision;
    const from = version.wantedCount;
    const direction = to > from ? 'out' : 'in';
    this.#deps.meter.count('scale_decisions_total', 1, { rule, direction });
    const fields = { category: 'Host.Scale', applicationId, codeVersion, from, to, rule, explanation };
    this.#deps.log.write('information', 'An app is scaled', fields);
    const changes = this.#changes.get(applicationId) ?? [];
    if (!this.#changes.has(applicationId) && this.#changes.size >= maxApps) {
      const [oldest] = this.#changes.keys();
      if (oldest !== undefined) this.#changes.delete(oldest);
    }
    this.#changes.set(applicationId, [
      ...changes.slice(1 - maxChanges),
      { atMs, codeVersion, from, to, rule, explanation },
    ]);
  }
}

/** The part of what waits that will come to a version with so many percent of the events. */
function shareOf(sources: readonly SourceBacklog[], weight: number): readonly SourceBacklog[] {
  if (sources.length === 0 || weight === 100) return sources;
  if (weight === 0) return noSources;
  return sources.map((source) => ({ ...source, messageCount: Math.ceil((source.messageCount * weight) / 100) }));
}

function sumByTenant(versions: readonly ObservedVersion[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { tenantId, wantedCount } of versions) sums.set(tenantId, (sums.get(tenantId) ?? 0) + wantedCount);
  return sums;
}

/** A decision whose words are made when somebody wants them. */
class MadeDecision implements ExplainedDecision {
  readonly atMs: number;
  readonly version: ObservedVersion;
  readonly signals: ScaleSignals;
  readonly policy: ScalePolicy;
  readonly decision: ScaleDecision;

  constructor(
    atMs: number,
    version: ObservedVersion,
    signals: ScaleSignals,
    policy: ScalePolicy,
    decision: ScaleDecision,
  ) {
    this.atMs = atMs;
    this.version = version;
    this.signals = signals;
    this.policy = policy;
    this.decision = decision;
  }

  get explanation(): string {
    return explainDecision(this.decision, this.signals, this.policy);
  }
}
