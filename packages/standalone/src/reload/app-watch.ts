/**
 * Tells when an app's folder changed in a way that matters: through watches of the system, or by looking again and again
 * where the system has none left.
 *
 * Phases: Watching -> Polling (the watches are exhausted; said once) ; both -> Closed.
 * Ownership: the app's reloader opens and closes it.
 *
 * I1 What the rules call a new version or a source is reported; nothing else is.
 * I2 Exhausted watches cost one note, and changes are noticed all the same.
 * I3 A folder that goes counts as a change of the app.
 */
import { type Clock, StateMachine } from '@switchyard/kernel';
import type { FolderPort } from './folder-port.ts';
import { TreePoll } from './tree-poll.ts';
import { TreeWatch } from './tree-watch.ts';
import type { WatchRules } from './watch-rules.ts';

export interface AppWatchDeps {
  readonly clock: Clock;
  readonly folders: FolderPort;
}

export interface AppWatchOptions {
  readonly directory: string;
  readonly rules: WatchRules;
  /** Paths are relative to the app's folder, with slashes. */
  readonly onChange: (kind: 'version' | 'source', path: string) => void;
  readonly onNote: (text: string) => void;
  readonly limits?: Partial<AppWatchLimits>;
}

export interface AppWatchLimits {
  readonly maxFolders: number;
  readonly pollMs: number;
}

/** A large app has hundreds of folders of its own; Linux grants a user some thousand watches at least. */
const defaultLimits: AppWatchLimits = { maxFolders: 5_000, pollMs: 1_000 };

type State =
  | { readonly kind: 'watching'; readonly tree: TreeWatch }
  | { readonly kind: 'polling'; readonly tree: TreePoll }
  | { readonly kind: 'closed' };

const edges = { watching: ['polling', 'closed'], polling: ['closed'], closed: [] } as const;

export class AppWatch {
  readonly #deps: AppWatchDeps;
  readonly #options: AppWatchOptions;
  readonly #limits: AppWatchLimits;
  readonly #machine: StateMachine<State>;
  #fallback: Promise<void> | undefined;

  constructor(deps: AppWatchDeps, options: AppWatchOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#machine = new StateMachine<State>({ kind: 'watching', tree: this.#createTree() }, edges);
  }

  /** Resolves when changes are noticed from now on. */
  async open(): Promise<void> {
    const { state } = this.#machine;
    if (state.kind === 'watching') await state.tree.open();
    await this.#fallback;
  }

  close(): void {
    const { state } = this.#machine;
    if (state.kind === 'closed') return;
    state.tree.close();
    this.#machine.transition({ kind: 'closed' });
  }

  #createTree(): TreeWatch {
    const { directory, rules, onChange, onNote } = this.#options;
    const { maxFolders } = this.#limits;
    return new TreeWatch(this.#deps.folders, {
      root: directory,
      entersFolder: rules.entersFolder,
      maxFolders,
      onChange: (path) => this.#report(path),
      onGone: (path) => onChange('version', path),
      onFull: (path) => onNote(`Only ${maxFolders} folders are watched; changes in '${path}' and others go unnoticed.`),
      onExhausted: (reason) => this.#poll(reason),
    });
  }

  #poll(reason: string): void {
    const { state } = this.#machine;
    if (state.kind !== 'watching') return;
    const { pollMs } = this.#limits;
    const { directory, rules, onNote } = this.#options;
    onNote(
      `The folder cannot be watched (${reason}), so it is looked at once a second. On Linux, raise fs.inotify.max_user_watches.`,
    );
    const tree = new TreePoll(this.#deps, {
      root: directory,
      rules,
      restMs: pollMs,
      onChange: (path) => this.#report(path),
    });
    state.tree.close();
    this.#machine.transition({ kind: 'polling', tree });
    this.#fallback = tree.open();
  }

  #report(path: string): void {
    const kind = this.#options.rules.kindOf(path);
    if (kind !== 'nothing') this.#options.onChange(kind, path);
  }
}
