/**
 * Looks at the frames of workers while somebody watches their app: direction, kind, id and size, never what they say.
 *
 * Ownership: the composition root owns it and sends every worker's stream through `tap`; who watches owns its watch.
 *
 * I1 Frames pass unchanged, in order, with the same back-pressure, watched or not.
 * I2 Without a watcher of its app a frame costs one look into a map.
 * I3 A watcher that throws harms neither the stream nor the other watchers.
 * I4 Frames that Runtimes of other processes have seen come to the same watchers; who is watched is told to them.
 */
import { type Clock, type Log, messageOf } from '@switchyard/kernel';
import { type Link, type LinkReceiver, readEnvelope, readInvocationId, StreamingMessage } from '@switchyard/protocol';

/** One frame, as people may see it. */
export interface TracedFrame {
  readonly timeMs: number;
  readonly workerId: string;
  readonly direction: 'to-worker' | 'from-worker';
  /** The kind of its content; `unknown` for one that this build does not know. */
  readonly type: string;
  /** The invocation id where the kind has one, else the request id; empty when there is neither. */
  readonly id: string;
  readonly bytes: number;
}

/** Frames that were not seen, for want of room on their way. */
export interface MissedFrames {
  readonly dropped: number;
}

export type TraceWatcher = (frame: TracedFrame | MissedFrames) => void;

/** Hears when the first watcher of an app comes, and when the last one has gone. */
export type WatchedObserver = (applicationId: string, isWatched: boolean) => void;

export interface TraceTapDeps {
  readonly clock: Clock;
  readonly log: Log;
}

/** Whose frames a stream carries. */
interface Source {
  readonly applicationId: string;
  readonly workerId: string;
}

export class TraceTap {
  readonly #deps: TraceTapDeps;
  readonly #watchers = new Map<string, Set<TraceWatcher>>();
  readonly #observers = new Set<WatchedObserver>();

  constructor(deps: TraceTapDeps) {
    this.#deps = deps;
  }

  /** Reports every frame of the app's workers from now on. Returns the unsubscriber. */
  watch(applicationId: string, watcher: TraceWatcher): () => void {
    const watchers = this.#watchers.get(applicationId) ?? new Set();
    this.#watchers.set(applicationId, watchers.add(watcher));
    if (watchers.size === 1) this.#tell(applicationId, true);
    return () => {
      if (!watchers.delete(watcher) || watchers.size > 0) return;
      this.#watchers.delete(applicationId);
      this.#tell(applicationId, false);
    };
  }

  /** The apps that somebody watches. */
  watchedApps(): readonly string[] {
    return [...this.#watchers.keys()];
  }

  /** Calls back from now on when an app is watched, and when it is not any more. Returns the unsubscriber. */
  onWatched(observer: WatchedObserver): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  /** Shows what a Runtime of another process has seen. */
  show(applicationId: string, frame: TracedFrame | MissedFrames): void {
    const watchers = this.#watchers.get(applicationId);
    if (watchers !== undefined) this.#call(watchers, frame);
  }

  /** The Runtime's end of a worker's stream, looked at. */
  tap(link: Link): Link {
    return new TappedLink(link, (source, direction, frame) => {
      const watchers = this.#watchers.get(source.applicationId);
      if (watchers !== undefined) this.#show(watchers, source, direction, frame);
    });
  }

  #show(watchers: Set<TraceWatcher>, { workerId }: Source, direction: Direction, frame: Uint8Array): void {
    const envelope = readEnvelope(frame);
    const isReadable = envelope.kind === 'envelope';
    const traced: TracedFrame = {
      timeMs: this.#deps.clock.now(),
      workerId,
      direction,
      type: (isReadable ? envelope.contentCase : undefined) ?? 'unknown',
      id: isReadable ? (readInvocationId(frame, envelope) ?? envelope.requestId) : '',
      bytes: frame.length,
    };
    this.#call(watchers, traced);
  }

  #tell(applicationId: string, isWatched: boolean): void {
    for (const observer of [...this.#observers]) observer(applicationId, isWatched);
  }

  #call(watchers: ReadonlySet<TraceWatcher>, frame: TracedFrame | MissedFrames): void {
    for (const watcher of [...watchers]) {
      try {
        watcher(frame);
      } catch (thrown) {
        this.#deps.log.write('error', 'A watcher of frames failed', { reason: messageOf(thrown) });
      }
    }
  }
}

type Direction = TracedFrame['direction'];
type Look = (source: Source, direction: Direction, frame: Uint8Array) => void;

/** A link that shows its frames, once it is known whose they are. */
class TappedLink implements Link {
  readonly #link: Link;
  readonly #look: Look;
  #source: Source | undefined;

  constructor(link: Link, look: Look) {
    this.#link = link;
    this.#look = look;
  }

  get peer(): string {
    return this.#link.peer;
  }

  get metadata(): ReadonlyMap<string, string> {
    return this.#link.metadata;
  }

  get bufferedBytes(): number {
    return this.#link.bufferedBytes;
  }

  get closed(): Link['closed'] {
    return this.#link.closed;
  }

  send(frame: Uint8Array): boolean {
    if (this.#source !== undefined) this.#look(this.#source, 'to-worker', frame);
    return this.#link.send(frame);
  }

  receive(receiver: LinkReceiver): void {
    this.#link.receive({
      frame: (bytes) => {
        // A sidecar says in its first frame whose worker it is.
        this.#source ??= readSource(bytes);
        if (this.#source !== undefined) this.#look(this.#source, 'from-worker', bytes);
        receiver.frame(bytes);
      },
      end: () => receiver.end?.(),
    });
  }

  drained(): Promise<void> {
    return this.#link.drained();
  }

  pause(): void {
    this.#link.pause();
  }

  resume(): void {
    this.#link.resume();
  }

  end(status?: Parameters<Link['end']>[0]): void {
    this.#link.end(status);
  }

  cancel(status: Parameters<Link['cancel']>[0]): void {
    this.#link.cancel(status);
  }
}

function readSource(frame: Uint8Array): Source | undefined {
  const envelope = readEnvelope(frame);
  if (envelope.kind !== 'envelope' || envelope.contentCase !== 'workerConnect') return undefined;
  try {
    const { content } = StreamingMessage.decode(frame);
    return content?.$case === 'workerConnect'
      ? { applicationId: content.value.applicationId, workerId: content.value.workerId }
      : undefined;
  } catch {
    // The Runtime will say what is wrong with it.
    return undefined;
  }
}
