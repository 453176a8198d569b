/**
 * Asks the sources of every app in the background what waits there, so that a look at the scale finds it in memory.
 *
 * Ownership: the controller owns it. Each app has one entry, from the first time that one of its functions listens until none does.
 *
 * I1 An app is asked once at a time, no more than `maxAsked` apps are asked at once, and those that are due for longest come first.
 * I2 An app that has workers, or for which something waits, is asked every `busyMs`; one that sleeps, every `quietMs`.
 * I3 Whoever reads waits for nothing. What could not be asked for `staleMs` counts as empty.
 * I4 Who does not decide asks nothing, and after `close` nothing is asked and no timer is left.
 */
import { type Clock, type Log, messageOf, type Timer, withDeadline } from '@switchyard/kernel';
import type { SourceBacklog } from '../decide/signals.ts';
import { scaleErrors } from '../errors.ts';

/** The sources that a Runtime listens to. */
export interface SourceRuntime {
  /** Apps of which a function listens to something. */
  listeningApps(): readonly string[];
  /** Asks the sources of an app. Rejects, or leaves out, what cannot be asked. */
  backlogs(applicationId: string, signal: AbortSignal): Promise<readonly SourceBacklog[]>;
}

export interface SourceWatchDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly runtime: SourceRuntime;
  /** Apps that have workers now. */
  readonly awakeApps: () => ReadonlySet<string>;
  readonly mayDecide: () => boolean;
}

export interface SourceWatch {
  /** What waited when the app was asked last. */
  of(applicationId: string): readonly SourceBacklog[];
  /** Apps for which something waits. */
  waitingApps(): readonly string[];
  close(): void;
}

/** Between two questions for an app that is at work; also how often it is looked who is due. */
export const busyMs = 1_000;

/** Between two questions for an app that sleeps. */
export const quietMs = 15_000;

/** A source that takes longer than this is not waited for. */
export const answerMs = 5_000;

/** An answer older than this says nothing any more. */
export const staleMs = 60_000;

/** Apps that are asked at the same time. */
export const maxAsked = 16;

interface Entry {
  dueMs: number;
  isAsked: boolean;
  answeredMs: number;
  sources: readonly SourceBacklog[];
}

const nothing: readonly SourceBacklog[] = [];

/** Begins to ask. */
export function openSourceWatch(deps: SourceWatchDeps): SourceWatch {
  const watch = new RuntimeSourceWatch(deps);
  watch.start();
  return watch;
}

class RuntimeSourceWatch implements SourceWatch {
  readonly #deps: SourceWatchDeps;
  readonly #entries = new Map<string, Entry>();
  readonly #abort = new AbortController();
  #asked = 0;
  #timer: Timer | undefined;

  constructor(deps: SourceWatchDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#timer = this.#deps.clock.schedule(busyMs, () => {
      this.start();
      this.#look();
    });
  }

  of(applicationId: string): readonly SourceBacklog[] {
    const entry = this.#entries.get(applicationId);
    if (entry === undefined || entry.sources.length === 0) return nothing;
    return this.#deps.clock.monotonic() - entry.answeredMs < staleMs ? entry.sources : nothing;
  }

  waitingApps(): readonly string[] {
    return [...this.#entries.keys()].filter((applicationId) => hasMessages(this.of(applicationId)));
  }

  close(): void {
    this.#timer?.cancel();
    this.#abort.abort();
    this.#entries.clear();
  }

  #look(): void {
    const { clock, runtime, mayDecide, awakeApps } = this.#deps;
    if (!mayDecide()) {
      this.#entries.clear();
      return;
    }
    const nowMs = clock.monotonic();
    const listening = new Set(runtime.listeningApps());
    for (const applicationId of this.#entries.keys()) {
      if (!listening.has(applicationId)) this.#entries.delete(applicationId);
    }
    for (const applicationId of listening) {
      if (this.#entries.has(applicationId)) continue;
      this.#entries.set(applicationId, { dueMs: nowMs, isAsked: false, answeredMs: nowMs, sources: nothing });
    }
    const awake = awakeApps();
    // What has woken since it was asked is due at once.
    const dueOf = (applicationId: string, { dueMs, answeredMs }: Entry): number =>
      awake.has(applicationId) ? Math.min(dueMs, answeredMs + busyMs) : dueMs;
    const due = [...this.#entries]
      .filter(([applicationId, entry]) => !entry.isAsked && dueOf(applicationId, entry) <= nowMs)
      .sort(([one, first], [other, second]) => dueOf(one, first) - dueOf(other, second));
    for (const [applicationId, entry] of due.slice(0, maxAsked - this.#asked)) {
      void this.#ask(applicationId, entry, awake.has(applicationId));
    }
  }

  async #ask(applicationId: string, entry: Entry, isAwake: boolean): Promise<void> {
    const { clock, log, runtime } = this.#deps;
    entry.isAsked = true;
    this.#asked += 1;
    const stop = new AbortController();
    const signal = AbortSignal.any([this.#abort.signal, stop.signal]);
    try {
      const late = (): Error => {
        stop.abort();
        return scaleErrors.create('SCALE_SOURCES_LATE', { applicationId, answerMs });
      };
      entry.sources = await withDeadline(clock, answerMs, runtime.backlogs(applicationId, signal), late);
      entry.answeredMs = clock.monotonic();
      entry.dueMs = entry.answeredMs + (isAwake || hasMessages(entry.sources) ? busyMs : quietMs);
    } catch (thrown) {
      entry.dueMs = clock.monotonic() + quietMs;
      if (signal.aborted && !stop.signal.aborted) return;
      log.write('debug', 'The sources of an app could not be asked', { applicationId, reason: messageOf(thrown) });
    } finally {
      entry.isAsked = false;
      this.#asked -= 1;
    }
  }
}

function hasMessages(sources: readonly SourceBacklog[]): boolean {
  return sources.some(({ messageCount }) => messageCount > 0);
}
