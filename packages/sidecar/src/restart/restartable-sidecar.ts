/**
 * A sidecar whose worker can be started anew: one sidecar for each life of the worker, one after the other, and the app
 * carried from one to the next. Restarts come from an app that wants another command line, from the Runtime
 * (WorkerRestartRequest), and from a wrapper that starts failed workers again.
 *
 * Phases: serving -> asking (the wrapper decides) -> serving or succeeding (the next worker comes up) -> serving; any -> ended.
 * Ownership: the pod owns it; it owns the sidecar of each life.
 *
 * I1 An app whose launch differs from the worker's leads to exactly one restart before the worker sees anything of it; any
 *    other app leads to none.
 * I2 A worker that was started anew becomes warm first, and then the worker of the same app, before it relays.
 * I3 A wish to restart is answered before the old worker's stream ends; during a restart another wish is `in-progress`.
 * I4 A wrapper that refuses leaves the worker as it is.
 * I5 Streams to Runtimes are counted over all lives, so that a Runtime can tell them apart.
 * I6 A pod takes one app in its life; the same app again joins the first call.
 * I7 `ended` resolves once, when the last life is over and none follows. An app that never got its worker is not tried again.
 */
import { createDeferred, type Edges, type Log, messageOf, type PlatformError, StateMachine } from '@switchyard/kernel';
import type {
  Assignment,
  AssignOutcome,
  Link,
  LinkEnd,
  RuntimeCall,
  UnaryReply,
  WorkerRestartRequest,
} from '@switchyard/protocol';
import { sidecarErrors } from '../sidecar/errors.ts';
import type {
  IndexOutcome,
  RelayCounts,
  Sidecar,
  SidecarEnd,
  SidecarStateKind,
  SidecarStatus,
} from '../sidecar/sidecar-contract.ts';
import type { LaunchChange, LaunchConfiguration, RestartOutcome, WorkerControl } from '../wrapper/contract.ts';
import { restartErrors } from './errors.ts';
import { type CapturedLaunch, decideLaunch, readWantedLaunch, type WantedLaunch } from './launch-check.ts';
import { type RestartRequestHandler, toLaunchChange, toRestartResponse } from './restart-request.ts';

/** A sidecar for one life of the worker; `firstEpoch` and `onRestartRequest` belong into its options and deps. */
export type CreateLife = (life: {
  readonly firstEpoch: number;
  readonly onRestartRequest: RestartRequestHandler;
  /** What a Runtime wants laid over the environment of an app that the sidecar gives the worker by itself. */
  readonly environmentOverrides: ReadonlyMap<string, string>;
}) => Sidecar;

/** The launch of a version that is not the placeholder's; undefined when this pod has none. */
export type FindLaunch = (language: string, version: string) => Promise<LaunchConfiguration | undefined>;

export interface RestartableSidecarDeps {
  readonly log: Log;
  readonly control: WorkerControl;
  readonly createLife: CreateLife;
  readonly findLaunch?: FindLaunch;
  /** The next worker of this id will dial; whoever hands streams over has to expect it. */
  readonly expectWorker: () => void;
}

export interface RestartableSidecarOptions {
  /** How the placeholder was started; undefined where nobody knows: then no app is a reason for a restart. */
  readonly captured: CapturedLaunch | undefined;
  /** True when the wrapper starts failed workers again: their next life is waited for. */
  readonly awaitsReturn: boolean;
  /** How long the old worker's last frames and lines may take. */
  readonly graceMs: number;
}

/** Why an app does not get its worker. */
type Unprepared = Exclude<AssignOutcome, { readonly kind: 'assigned' }>;

/** The app of the pod. */
interface Task {
  assignment: Assignment;
  readonly outcome: Promise<AssignOutcome>;
  wasAssigned: boolean;
}

type State =
  | { readonly kind: 'serving' }
  /** `end` is set when the life ended before the wrapper had answered. */
  | { readonly kind: 'asking'; end?: SidecarEnd }
  | { readonly kind: 'succeeding' }
  | { readonly kind: 'ended' };

const edges: Edges<State['kind']> = {
  serving: ['asking', 'succeeding', 'ended'],
  asking: ['serving', 'succeeding', 'ended'],
  succeeding: ['serving', 'ended'],
  ended: [],
};

export function createRestartableSidecar(
  deps: RestartableSidecarDeps,
  options: RestartableSidecarOptions,
): RestartableSidecar {
  return new RestartableSidecar(deps, options);
}

export class RestartableSidecar implements Sidecar {
  readonly #deps: RestartableSidecarDeps;
  readonly #options: RestartableSidecarOptions;
  readonly #machine = new StateMachine<State>({ kind: 'serving' }, edges);
  readonly #warm = createDeferred<void>();
  readonly #ended = createDeferred<SidecarEnd>();
  /** The sidecar of this life. */
  #life: Sidecar;
  /** The sidecar whose worker the console belongs to: the old one's lines may outlive its stream. */
  #consoleOf: Sidecar;
  #isConsoleOver = false;
  #task: Task | undefined;
  /** The worker has ended its stream, or lost it. */
  #hasWorkerLeft = false;
  #isDraining = false;
  #isTainted = false;
  /** A worker of this pod has served the app that its sidecar gives it by itself. */
  #hasServed = false;
  #environmentOverrides: ReadonlyMap<string, string> = new Map();
  /** What the lives before this one have counted. */
  #before: RelayCounts = noCounts;

  constructor(deps: RestartableSidecarDeps, options: RestartableSidecarOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#life = this.#createLife(0);
    this.#consoleOf = this.#life;
  }

  get workerId(): string {
    return this.#life.workerId;
  }

  get state(): SidecarStateKind {
    return this.#life.state;
  }

  get warm(): Promise<void> {
    return this.#warm.promise;
  }

  get ended(): Promise<SidecarEnd> {
    return this.#ended.promise;
  }

  get isTainted(): boolean {
    return this.#isTainted || this.#life.isTainted;
  }

  acceptWorker(link: Link): void {
    const life = this.#life;
    // Before the sidecar hears of it, so that its end is not taken for the end of all.
    void link.closed.then((end) => this.#workerLeft(life, end));
    life.acceptWorker(link);
  }

  assign(assignment: Assignment): Promise<AssignOutcome> {
    const task = this.#task;
    if (task !== undefined && isSameApp(task.assignment, assignment)) return task.outcome;
    // The sidecar of this life knows best why not.
    if (this.#life.state !== 'warm') return this.#life.assign(assignment);
    if (task !== undefined || this.#machine.kind !== 'serving') {
      return Promise.resolve(this.#underWay(assignment));
    }
    const outcome = createDeferred<AssignOutcome>();
    const begun: Task = { assignment, outcome: outcome.promise, wasAssigned: false };
    this.#task = begun;
    this.#assign(begun).then((settled) => {
      if (settled.kind === 'assigned') begun.wasAssigned = true;
      else if (settled.kind === 'refused' || !settled.tainted) this.#task = undefined;
      outcome.resolve(settled);
    }, outcome.reject);
    return outcome.promise;
  }

  async index(assignment: Assignment): Promise<IndexOutcome> {
    const isWarm = this.#life.state === 'warm';
    if (isWarm && this.#machine.kind !== 'serving') return this.#underWay(assignment);
    const unprepared = isWarm && this.#task === undefined ? await this.#prepare(assignment) : undefined;
    return unprepared ?? (await this.#life.index(assignment));
  }

  callRuntime(call: RuntimeCall): Promise<UnaryReply> {
    return this.#life.callRuntime(call);
  }

  console(stream: 'stdout' | 'stderr', line: string): void {
    this.#consoleOf.console(stream, line);
  }

  consoleEnded(): void {
    this.#consoleOf.consoleEnded();
    this.#isConsoleOver = true;
    this.#moveConsole();
  }

  async drain(deadlineMs: number): Promise<void> {
    this.#isDraining = true;
    await this.#life.drain(deadlineMs);
  }

  status(): SidecarStatus {
    const status = this.#life.status();
    const application = status.application ?? (this.#isTainted ? this.#task?.assignment.application : undefined);
    return {
      ...status,
      application,
      // Warm alone is not ready for a worker that has an app to come back to.
      isReady: status.isReady && (application === undefined || status.application !== undefined),
      counts: addCounts(this.#before, status.counts),
    };
  }

  #createLife(firstEpoch: number): Sidecar {
    const life: Sidecar = this.#deps.createLife({
      firstEpoch,
      environmentOverrides: this.#environmentOverrides,
      onRestartRequest: (request, reply) => {
        void this.#onRestartRequest(request, reply);
      },
    });
    life.warm.then(this.#warm.resolve, () => {});
    void life.ended.then((end) => this.#lifeEnded(life, end));
    return life;
  }

  async #assign({ assignment }: Task): Promise<AssignOutcome> {
    return (await this.#prepare(assignment)) ?? (await this.#life.assign(assignment));
  }

  /** Sees to it that the worker is one that the app can have. Answers why it is not. */
  async #prepare(assignment: Assignment): Promise<Unprepared | undefined> {
    const { captured } = this.#options;
    // A worker that has seen an app takes that one alone, and was prepared for it.
    if (captured === undefined || this.#life.isTainted) return undefined;
    const { content, environment } = assignment;
    const wanted = readWantedLaunch(captured, environment, content.kind === 'folder' ? content.scriptRoot : '/');
    const decision = decideLaunch(captured, wanted, await this.#findOther(captured, wanted));
    switch (decision.kind) {
      case 'keep':
        return undefined;
      case 'restart':
        return await this.#startAnew(assignment, decision.changed, decision.change);
      case 'other-version': {
        const details = { wanted: decision.wanted, present: captured.runtimeVersion, language: captured.language };
        const error = restartErrors.create('RESTART_VERSION_UNAVAILABLE', { ...this.#names(assignment), ...details });
        return { kind: 'failed', error, tainted: false };
      }
    }
  }

  async #findOther(captured: CapturedLaunch, wanted: WantedLaunch): Promise<LaunchConfiguration | undefined> {
    const { findLaunch, log } = this.#deps;
    const isKept = decideLaunch(captured, { ...wanted, executable: undefined }).kind !== 'other-version';
    if (isKept || wanted.runtimeVersion === undefined || findLaunch === undefined) return undefined;
    try {
      return await findLaunch(captured.language, wanted.runtimeVersion);
    } catch (thrown) {
      log.write('warning', 'The launch of another version could not be found.', { reason: messageOf(thrown) });
      return undefined;
    }
  }

  async #startAnew(assignment: Assignment, changed: string, change: LaunchChange): Promise<Unprepared | undefined> {
    const outcome = await this.#ask(`the app needs another launch: ${changed}`, change);
    switch (outcome.kind) {
      case 'in-progress':
        return this.#underWay(assignment);
      case 'rejected': {
        const details = { ...this.#names(assignment), changed, reason: outcome.reason };
        return { kind: 'failed', error: restartErrors.create('RESTART_REFUSED', details), tainted: false };
      }
      case 'accepted': {
        const error = await this.#succeed();
        return error === undefined ? undefined : { kind: 'failed', error, tainted: false };
      }
    }
  }

  async #onRestartRequest(request: WorkerRestartRequest, reply: Parameters<RestartRequestHandler>[1]): Promise<void> {
    const outcome = await this.#ask(request.reason, toLaunchChange(request));
    reply(toRestartResponse(outcome));
    if (outcome.kind !== 'accepted') return;
    const overrides = request.newConfiguration?.environmentOverrides;
    const task = this.#task;
    if (task !== undefined && overrides !== undefined && overrides.size > 0) {
      // They travel in the reload: the environment of a process is for everybody on the machine to read.
      const environment = new Map([...task.assignment.environment, ...overrides]);
      task.assignment = { ...task.assignment, environment };
    } else if (overrides !== undefined) {
      this.#environmentOverrides = new Map([...this.#environmentOverrides, ...overrides]);
    }
    await this.#comeBack();
  }

  /** Asks the wrapper. While it decides, the end of this life is not the end of all. */
  async #ask(reason: string, change: LaunchChange): Promise<RestartOutcome> {
    if (this.#machine.kind === 'ended' || this.#isDraining) return { kind: 'rejected', reason: 'the pod is ending' };
    if (this.#machine.kind !== 'serving') return { kind: 'in-progress' };
    const asking: State = { kind: 'asking' };
    this.#machine.transition(asking);
    const outcome = await this.#deps.control.restart(reason, change);
    if (outcome.kind === 'accepted') return outcome;
    this.#machine.transition({ kind: 'serving' });
    if (this.#isReturning) void this.#comeBack();
    else if (asking.end !== undefined) this.#conclude(asking.end);
    return outcome;
  }

  /** The next life, up to where its worker is warm; one more where the wrapper brings one. Answers why there is none. */
  async #succeed(): Promise<PlatformError | undefined> {
    this.#machine.transition({ kind: 'succeeding' });
    for (;;) {
      const old = this.#life;
      if (this.#isDraining) return await this.#giveUp(old);
      this.#isTainted ||= old.isTainted;
      this.#hasWorkerLeft = false;
      this.#before = addCounts(this.#before, old.status().counts);
      this.#life = this.#createLife(old.status().epoch);
      this.#moveConsole();
      this.#deps.expectWorker();
      await Promise.all([old.drain(this.#options.graceMs), old.ended]);
      try {
        await this.#life.warm;
      } catch (thrown) {
        if (this.#isReturning) continue;
        return thrown as PlatformError;
      }
      if (this.#machine.allows('serving')) this.#machine.transition({ kind: 'serving' });
      return undefined;
    }
  }

  /** The pod was told to end while the wrapper brought another worker: that one gets no sidecar. */
  async #giveUp(old: Sidecar): Promise<PlatformError> {
    const end = await old.ended;
    if (this.#machine.kind !== 'ended') this.#conclude(end);
    return sidecarErrors.create('SIDECAR_ENDED', { workerId: this.workerId, state: old.state });
  }

  /** The next life, up to where its worker has the app again. What goes wrong ends that life, and so the pod. */
  async #comeBack(): Promise<void> {
    const error = await this.#succeed();
    const task = this.#task;
    const life = this.#life;
    if (error !== undefined || task === undefined) return;
    const outcome = await life.assign(task.assignment);
    const fields = { workerId: this.workerId, applicationId: task.assignment.application.applicationId };
    if (outcome.kind === 'assigned') {
      this.#deps.log.write('information', 'A restarted worker serves its app again.', fields);
      return;
    }
    const reason = outcome.error.message;
    this.#deps.log.write('error', 'A restarted worker did not get its app.', { ...fields, reason });
    if (life === this.#life) await this.drain(0);
  }

  #workerLeft(life: Sidecar, end: LinkEnd): void {
    // What the sidecar ended by itself says nothing of the worker.
    if (life !== this.#life || end.origin === 'local') return;
    this.#hasWorkerLeft = true;
    if (life.state === 'relaying') this.#hasServed = true;
    if (this.#isReturning && this.#machine.kind === 'serving') void this.#comeBack();
  }

  /** The worker is gone, and the wrapper starts it again. An app that never got its worker is not worth another one. */
  get #isReturning(): boolean {
    const isWorth = this.#task?.wasAssigned ?? (this.#hasServed || !this.isTainted);
    return this.#options.awaitsReturn && this.#hasWorkerLeft && !this.#isDraining && isWorth;
  }

  #lifeEnded(life: Sidecar, end: SidecarEnd): void {
    const { state } = this.#machine;
    if (life !== this.#life || state.kind === 'ended') return;
    if (state.kind === 'asking') state.end = end;
    else if (!this.#isReturning) this.#conclude(end);
  }

  #conclude(end: SidecarEnd): void {
    this.#machine.transition({ kind: 'ended' });
    this.#ended.resolve(end);
    // Rejects as the last life did; nothing happens where an earlier one was warm.
    this.#life.warm.then(this.#warm.resolve, this.#warm.reject);
  }

  /** Lines belong to the old worker until its console has ended. */
  #moveConsole(): void {
    if (!this.#isConsoleOver || this.#consoleOf === this.#life) return;
    this.#consoleOf = this.#life;
    this.#isConsoleOver = false;
  }

  #underWay(assignment: Assignment): Unprepared {
    return { kind: 'refused', error: restartErrors.create('RESTART_UNDER_WAY', this.#names(assignment)) };
  }

  #names({ application }: Assignment): { workerId: string; applicationId: string } {
    return { workerId: this.workerId, applicationId: application.applicationId };
  }
}

const noCounts: RelayCounts = {
  framesUp: 0,
  framesDown: 0,
  bytesUp: 0,
  bytesDown: 0,
  framesConsumed: 0,
  linesDropped: 0,
};

function addCounts(one: RelayCounts, other: RelayCounts): RelayCounts {
  return {
    framesUp: one.framesUp + other.framesUp,
    framesDown: one.framesDown + other.framesDown,
    bytesUp: one.bytesUp + other.bytesUp,
    bytesDown: one.bytesDown + other.bytesDown,
    framesConsumed: one.framesConsumed + other.framesConsumed,
    linesDropped: one.linesDropped + other.linesDropped,
  };
}

function isSameApp(one: Assignment, other: Assignment): boolean {
  return (
    one.tenantId === other.tenantId &&
    one.application.applicationId === other.application.applicationId &&
    one.application.metadataVersion === other.application.metadataVersion &&
    one.application.codeVersion === other.application.codeVersion
  );
}
