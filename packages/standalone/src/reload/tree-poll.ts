/**
 * Looks at a tree of folders again and again: for machines that have no watches left.
 *
 * Phases: Looking (a walk is under way) <-> Resting -> Closed. Ownership: whoever opens it closes it.
 *
 * I1 A file that was written, came or went since the walk before is reported by the next one.
 * I2 Walks never overlap, and rest for `restMs` in between.
 * I3 After `close` nothing is reported.
 */
import { type Clock, StateMachine, type Timer } from '@switchyard/kernel';
import type { FolderPort } from './folder-port.ts';
import { listFiles } from './list-files.ts';
import type { WatchRules } from './watch-rules.ts';

export interface TreePollOptions {
  readonly root: string;
  readonly rules: WatchRules;
  readonly restMs: number;
  readonly onChange: (path: string) => void;
}

export interface TreePollDeps {
  readonly clock: Clock;
  readonly folders: FolderPort;
}

type State =
  | { readonly kind: 'looking' }
  | { readonly kind: 'resting'; readonly timer: Timer }
  | { readonly kind: 'closed' };

const edges = { looking: ['resting', 'closed'], resting: ['looking', 'closed'], closed: [] } as const;

export class TreePoll {
  readonly #deps: TreePollDeps;
  readonly #options: TreePollOptions;
  readonly #machine = new StateMachine<State>({ kind: 'looking' }, edges);
  #stamps: ReadonlyMap<string, string> = new Map();

  constructor(deps: TreePollDeps, options: TreePollOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Takes note of the tree as it is; resolves when changes are noticed from now on. */
  async open(): Promise<void> {
    this.#stamps = await this.#walk();
    this.#rest();
  }

  close(): void {
    const { state } = this.#machine;
    if (state.kind === 'resting') state.timer.cancel();
    if (state.kind !== 'closed') this.#machine.transition({ kind: 'closed' });
  }

  #rest(): void {
    if (this.#machine.kind === 'closed') return;
    const timer = this.#deps.clock.schedule(this.#options.restMs, () => {
      this.#machine.transition({ kind: 'looking' });
      void this.#look();
    });
    this.#machine.transition({ kind: 'resting', timer });
  }

  async #look(): Promise<void> {
    const before = this.#stamps;
    const now = await this.#walk();
    if (this.#machine.kind === 'closed') return;
    this.#stamps = now;
    for (const [path, stamp] of now) if (before.get(path) !== stamp) this.#options.onChange(path);
    for (const path of before.keys()) if (!now.has(path)) this.#options.onChange(path);
    this.#rest();
  }

  /** What the files look like from outside. */
  async #walk(): Promise<ReadonlyMap<string, string>> {
    const { root, rules } = this.#options;
    const stamps = new Map<string, string>();
    for await (const { path, stamp } of listFiles(this.#deps.folders, root, rules)) {
      stamps.set(path, `${stamp.writtenMs}:${stamp.sizeBytes}:${stamp.identity}`);
    }
    return stamps;
  }
}
