/**
 * One worker's process, from its start until its console has been read to the end.
 *
 * Phases: Running -> Stopping (asked to end) -> Draining (gone, its console still open) -> Ended.
 * Ownership: the process handle lives in Running and Stopping, each timer in the state that waits for it. The owner
 * hears every console line and then, exactly once, how the worker ended.
 *
 * I1 `ended` comes exactly once, and no console line after it.
 * I2 `ended` comes when the process is gone and both streams have ended, or `consoleDrainMs` after the process.
 * I3 A worker that is asked to end gets SIGTERM, and SIGKILL after the grace; asking again only ever shortens the grace.
 * I4 A last line without a line end is not lost.
 * I5 The tail holds the last stderr lines, oldest first, and no more than the limit.
 */
import { type Clock, StateMachine, type Timer } from '@switchyard/kernel';
import { ConsoleLines } from './console-lines.ts';
import type { WorkerProcessLimits } from './limits.ts';
import type { ConsoleStream, ProcessHandle, ProcessLaunch, ProcessPort } from './process-port.ts';

/** How a worker's process ended. */
export type WorkerEnd =
  | {
      readonly kind: 'exited';
      readonly exitCode: number | null;
      readonly signal: string | null;
      readonly stderrTail: readonly string[];
      /** True when `stop` came first. */
      readonly requested: boolean;
    }
  /** It never started. */
  | { readonly kind: 'failed'; readonly reason: string };

export interface WorkerProcessObserver {
  line(stream: ConsoleStream, line: string): void;
  ended(end: WorkerEnd): void;
}

type State =
  | { readonly kind: 'Running'; readonly process: ProcessHandle }
  | { readonly kind: 'Stopping'; readonly process: ProcessHandle; readonly killAtMs: number; readonly timer: Timer }
  | { readonly kind: 'Draining'; readonly exit: Exit; readonly timer: Timer }
  | { readonly kind: 'Ended' };

interface Exit {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly requested: boolean;
}

const edges = {
  Running: ['Stopping', 'Draining', 'Ended'],
  Stopping: ['Stopping', 'Draining', 'Ended'],
  Draining: ['Ended'],
  Ended: [],
} as const;

export class WorkerProcess {
  readonly startedAtMs: number;
  readonly #clock: Clock;
  readonly #limits: WorkerProcessLimits;
  readonly #observer: WorkerProcessObserver;
  readonly #lines: Readonly<Record<ConsoleStream, ConsoleLines>>;
  readonly #openStreams = new Set<ConsoleStream>(['stdout', 'stderr']);
  readonly #stderrTail: string[] = [];
  readonly #machine: StateMachine<State>;

  constructor(
    deps: { readonly clock: Clock; readonly processes: ProcessPort },
    limits: WorkerProcessLimits,
    launch: ProcessLaunch,
    observer: WorkerProcessObserver,
  ) {
    this.#clock = deps.clock;
    this.#limits = limits;
    this.#observer = observer;
    this.startedAtMs = deps.clock.monotonic();
    this.#lines = {
      stdout: new ConsoleLines(limits.maxLineLength, (line) => this.#onLine('stdout', line)),
      stderr: new ConsoleLines(limits.maxLineLength, (line) => this.#onLine('stderr', line)),
    };
    const process = deps.processes.spawn(launch, {
      output: (stream, chunk) => this.#lines[stream].push(chunk),
      outputEnded: (stream) => this.#onOutputEnded(stream),
      exited: (exitCode, signal) => this.#onExited(exitCode, signal),
      failed: (reason) => this.#end({ kind: 'failed', reason }),
    });
    this.#machine = new StateMachine<State>({ kind: 'Running', process }, edges);
  }

  get pid(): number | undefined {
    const { state } = this.#machine;
    return state.kind === 'Running' || state.kind === 'Stopping' ? state.process.pid : undefined;
  }

  /** True while the worker is meant to stay. */
  get isRunning(): boolean {
    return this.#machine.kind === 'Running';
  }

  /** Asks the process to end: SIGTERM now, SIGKILL after `graceMs`. */
  stop(graceMs: number): void {
    const { state } = this.#machine;
    if (state.kind !== 'Running' && state.kind !== 'Stopping') return;
    const killAtMs = this.#clock.monotonic() + graceMs;
    if (state.kind === 'Stopping') {
      if (state.killAtMs <= killAtMs) return;
      state.timer.cancel();
    }
    const { process } = state;
    const timer = this.#clock.schedule(graceMs, () => process.kill('SIGKILL'));
    this.#machine.transition({ kind: 'Stopping', process, killAtMs, timer });
    if (state.kind === 'Running') process.kill('SIGTERM');
  }

  #onLine(stream: ConsoleStream, line: string): void {
    if (stream === 'stderr') {
      this.#stderrTail.push(line);
      if (this.#stderrTail.length > this.#limits.stderrTailLines) this.#stderrTail.shift();
    }
    this.#observer.line(stream, line);
  }

  #onOutputEnded(stream: ConsoleStream): void {
    if (this.#machine.kind === 'Ended') return;
    this.#lines[stream].end();
    this.#openStreams.delete(stream);
    const { state } = this.#machine;
    if (state.kind === 'Draining' && this.#openStreams.size === 0) this.#endExited(state);
  }

  #onExited(exitCode: number | null, signal: string | null): void {
    const { state } = this.#machine;
    const exit = { exitCode, signal, requested: state.kind === 'Stopping' };
    if (state.kind === 'Stopping') state.timer.cancel();
    const timer = this.#clock.schedule(this.#limits.consoleDrainMs, () => this.#endExited(draining));
    const draining = { kind: 'Draining', exit, timer } as const;
    this.#machine.transition(draining);
    if (this.#openStreams.size === 0) this.#endExited(draining);
  }

  #endExited(state: Extract<State, { kind: 'Draining' }>): void {
    state.timer.cancel();
    for (const stream of this.#openStreams) this.#lines[stream].end();
    this.#end({ kind: 'exited', ...state.exit, stderrTail: [...this.#stderrTail] });
  }

  #end(end: WorkerEnd): void {
    const { state } = this.#machine;
    if (state.kind === 'Stopping') state.timer.cancel();
    this.#machine.transition({ kind: 'Ended' });
    this.#observer.ended(end);
  }
}
