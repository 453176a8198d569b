/**
 * Where the workers of many pods arrive: all of them dial the one local endpoint of the pod host, and StartStream says
 * which sidecar each stream belongs to.
 *
 * Ownership: the pod host owns the lobby; a link belongs to the lobby until it was handed over.
 *
 * I1 A worker that is expected is handed over once, with its first frame in front; a second stream of its id is refused.
 * I2 A stream that does not begin with StartStream, or names nobody who is expected, ends with a status that says why.
 * I3 A stream that says nothing for `introductionMs` ends.
 * I4 Whoever names a worker but is not known to its pod by the key is refused, and the worker is expected all the same.
 */
import { type Clock, messageOf, type Timer } from '@switchyard/kernel';
import { grpcStatus, type Link, type LinkReceiver, StreamingMessage } from '@switchyard/protocol';

export interface WorkerLobbyOptions {
  /** How long a stream may stay silent before its first message. */
  readonly introductionMs: number;
}

interface Expected {
  readonly take: (link: Link) => void;
  readonly knows: (link: Link) => boolean;
}

export class WorkerLobby {
  readonly #clock: Clock;
  readonly #options: WorkerLobbyOptions;
  readonly #expected = new Map<string, Expected>();

  constructor(clock: Clock, options: WorkerLobbyOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /**
   * Hands the worker's stream to `take` when it comes. `knows` tells the worker's stream from that of whoever has read its id.
   * Returns how to give up waiting for it.
   */
  expect(workerId: string, take: (link: Link) => void, knows: (link: Link) => boolean = () => true): () => void {
    this.#expected.set(workerId, { take, knows });
    return () => this.#expected.delete(workerId);
  }

  /** Takes the stream of a worker that just dialled. */
  accept(link: Link): void {
    const { introductionMs } = this.#options;
    const refuse = (code: number, message: string): void => link.cancel({ code, message });
    const timer = this.#clock.schedule(introductionMs, () =>
      refuse(grpcStatus.deadlineExceeded, `no StartStream came within ${introductionMs} ms`),
    );
    void link.closed.then(() => timer.cancel());
    let receiver: LinkReceiver | undefined;
    link.receive({
      frame: (bytes) => {
        if (receiver !== undefined) receiver.frame(bytes);
        else
          this.#introduce(link, bytes, timer, (given) => {
            receiver = given;
          });
      },
      end: () => (receiver === undefined ? refuse(grpcStatus.cancelled, 'it ended at once') : receiver.end?.()),
    });
  }

  #introduce(link: Link, first: Uint8Array, timer: Timer, onReceive: (receiver: LinkReceiver) => void): void {
    timer.cancel();
    const workerId = workerIdOf(first);
    if (workerId === undefined) {
      const message = 'the first message of a worker must be StartStream';
      link.cancel({ code: grpcStatus.invalidArgument, message });
      return;
    }
    const expected = this.#expected.get(workerId);
    if (expected === undefined) {
      link.cancel({ code: grpcStatus.notFound, message: `no worker '${workerId}' is expected here` });
      return;
    }
    if (!expected.knows(link)) {
      const message = `the stream does not show the key that worker '${workerId}' was started with`;
      link.cancel({ code: grpcStatus.unauthenticated, message });
      return;
    }
    this.#expected.delete(workerId);
    expected.take(new IntroducedLink(link, first, onReceive));
  }
}

function workerIdOf(frame: Uint8Array): string | undefined {
  try {
    const { content } = StreamingMessage.decode(frame);
    return content?.$case === 'startStream' ? content.value.workerId : undefined;
  } catch (thrown) {
    // What cannot be read is no StartStream; the caller says so.
    return void messageOf(thrown);
  }
}

/** A link whose first frame was read already: whoever receives gets it first. */
class IntroducedLink implements Link {
  readonly #link: Link;
  readonly #first: Uint8Array;
  readonly #onReceive: (receiver: LinkReceiver) => void;

  constructor(link: Link, first: Uint8Array, onReceive: (receiver: LinkReceiver) => void) {
    this.#link = link;
    this.#first = first;
    this.#onReceive = onReceive;
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
    return this.#link.send(frame);
  }

  drained(): Promise<void> {
    return this.#link.drained();
  }

  receive(receiver: LinkReceiver): void {
    this.#onReceive(receiver);
    receiver.frame(this.#first);
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
