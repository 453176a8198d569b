/**
 * Compiles a TypeScript app while `switchyard dev` runs it, with the TypeScript of the app and `tsc --watch`.
 *
 * A developer may have a compiler running already (`npm run watch`, an editor's task). So ours starts only when it is
 * needed: at once when there is no output yet or when asked to, otherwise when a source has changed and the output has
 * not followed for a moment. Output that follows shows that somebody else compiles; then ours never starts.
 *
 * Phases: Waiting -> Suspecting (a source changed) -> Waiting, Running or Spared (somebody else compiles); Running ->
 * Waiting when the compiler ends by itself; any -> Stopped. Ownership: startDev; `stop` ends the process.
 *
 * I1 There is at most one compiler process, and none after `stop` has resolved.
 * I2 Ours does not start while another one compiles.
 * I3 Errors of a pass are told once; the same ones are not told again before a pass without any.
 * I4 `firstPass` resolves when the first pass is done, or when there is none to wait for.
 */
import { type Clock, createDeferred, type Deferred, StateMachine, type Timer } from '@switchyard/kernel';
import type { ProcessHandle, ProcessPort } from '@switchyard/sidecar';
import { lifelineArguments } from '../dev/lifeline.ts';
import { createCompilerReader } from './compiler-lines.ts';

export interface AppCompilerDeps {
  readonly clock: Clock;
  readonly processes: ProcessPort;
}

export interface AppCompilerOptions {
  readonly directory: string;
  /** Where the output goes, relative to the directory. */
  readonly outDir: string;
  readonly executable: string;
  /** The script of the compiler. */
  readonly script: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly onErrors: (errors: readonly string[]) => void;
  readonly onNote: (text: string) => void;
}

type State =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'suspecting'; readonly timer: Timer }
  | { readonly kind: 'running'; readonly child: ProcessHandle; readonly gone: Deferred<void> }
  | { readonly kind: 'spared' }
  | { readonly kind: 'stopped'; readonly gone: Promise<void> };

const edges = {
  waiting: ['suspecting', 'running', 'spared', 'stopped'],
  suspecting: ['running', 'spared', 'stopped'],
  running: ['waiting', 'stopped'],
  spared: ['stopped'],
  stopped: [],
} as const;

const watchArguments: readonly string[] = ['--watch', '--preserveWatchOutput', '--pretty', 'false'];

/** Another compiler writes within this time after a save, also in a large project. */
const suspicionMs = 700;

/** How long the first pass is waited for; a large project takes half a minute. */
const firstPassLimitMs = 60_000;

/** What is kept of a line that never ends. */
const maxLineBytes = 10_000;

export class AppCompiler {
  readonly #deps: AppCompilerDeps;
  readonly #options: AppCompilerOptions;
  readonly #machine = new StateMachine<State>({ kind: 'waiting' }, edges);
  readonly #firstPass = createDeferred<void>();
  #lastErrors = '';

  constructor(deps: AppCompilerDeps, options: AppCompilerOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  get firstPass(): Promise<void> {
    return this.#firstPass.promise;
  }

  /** Starts compiling, whoever else does. */
  start(): void {
    if (!this.#machine.allows('running')) return;
    const { state } = this.#machine;
    if (state.kind === 'suspecting') state.timer.cancel();
    this.#run();
    this.#deps.clock.schedule(firstPassLimitMs, this.#firstPass.resolve);
  }

  /** A source changed. */
  sourceChanged(path: string): void {
    if (this.#machine.kind !== 'waiting') return;
    const timer = this.#deps.clock.schedule(suspicionMs, () => {
      this.#options.onNote(`${path} changed and nobody compiles it, so 'tsc --watch' runs from now on.`);
      this.start();
    });
    this.#machine.transition({ kind: 'suspecting', timer });
  }

  /** A file changed that a version of the app consists of. */
  fileChanged(path: string): void {
    const { state } = this.#machine;
    if (!path.startsWith(`${this.#options.outDir}/`) || !this.#machine.allows('spared')) return;
    if (state.kind === 'suspecting') state.timer.cancel();
    this.#machine.transition({ kind: 'spared' });
  }

  /** Ends the compiler; one that does not end in time is killed. */
  async stop(graceMs: number): Promise<void> {
    const { state } = this.#machine;
    if (state.kind === 'stopped') return state.gone;
    if (state.kind === 'suspecting') state.timer.cancel();
    const gone = state.kind === 'running' ? state.gone.promise : Promise.resolve();
    this.#machine.transition({ kind: 'stopped', gone });
    this.#firstPass.resolve();
    if (state.kind !== 'running') return;
    const timer = this.#deps.clock.schedule(graceMs, () => state.child.kill('SIGKILL'));
    state.child.kill('SIGTERM');
    await gone;
    timer.cancel();
  }

  #run(): void {
    const { directory, executable, script, environment } = this.#options;
    const gone = createDeferred<void>();
    const readLine = createCompilerReader();
    const onChunk = createLineSplitter((line) => {
      const pass = readLine(line);
      if (pass !== undefined) this.#passed(pass.errors);
    });
    const child = this.#deps.processes.spawn(
      {
        executable,
        arguments: [...lifelineArguments, script, ...watchArguments, '-p', directory],
        directory,
        environment,
        lifeline: true,
      },
      {
        output: (_stream, chunk) => onChunk(chunk),
        outputEnded: () => {},
        exited: (exitCode) => this.#ended(gone, `it ended with exit code ${exitCode ?? 'none'}`),
        failed: (reason) => this.#ended(gone, reason),
      },
    );
    this.#machine.transition({ kind: 'running', child, gone });
  }

  #passed(errors: readonly string[]): void {
    const text = errors.join('\n');
    if (errors.length > 0 && text !== this.#lastErrors) this.#options.onErrors(errors);
    this.#lastErrors = text;
    this.#firstPass.resolve();
  }

  #ended(gone: Deferred<void>, reason: string): void {
    gone.resolve();
    this.#firstPass.resolve();
    if (this.#machine.kind !== 'running') return;
    this.#machine.transition({ kind: 'waiting' });
    this.#options.onNote(`'tsc --watch' does not run any more: ${reason}. It starts again with the next change.`);
  }
}

/** Cuts a stream of bytes into lines. */
function createLineSplitter(onLine: (line: string) => void): (chunk: Uint8Array) => void {
  const decoder = new TextDecoder();
  let rest = '';
  return (chunk) => {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = (lines.pop() ?? '').slice(-maxLineBytes);
    for (const line of lines) onLine(line.replace(/\r$/, ''));
  };
}
