import { createDeferred, type Deferred } from '@switchyard/kernel';
import { StreamingMessage } from '../../gen/function-rpc.ts';
import type { Link, LinkEnd, LinkReceiver, LinkStatus } from '../../link.ts';
import type { MessageContent } from '../outbox.ts';

/** One end of a link whose other end is the test. Everything happens at once, and congestion is what the test says. */
export class ScriptedLink implements Link {
  readonly peer = 'the test';
  readonly metadata: ReadonlyMap<string, string> = new Map();
  bufferedBytes = 0;
  /** What was sent from here, in order. */
  readonly sent: StreamingMessage[] = [];
  #receiver: LinkReceiver | undefined;
  #congestion: Deferred<void> | undefined;
  #isHostDone = false;
  #flow: 'running' | 'paused' = 'running';
  #end: 'open' | 'half-closed' | 'closed' = 'open';
  readonly #closed = createDeferred<LinkEnd>();

  get closed(): Promise<LinkEnd> {
    return this.#closed.promise;
  }

  get isPaused(): boolean {
    return this.#flow === 'paused';
  }

  get isEnded(): boolean {
    return this.#end !== 'open';
  }

  /** What kinds of messages were sent. */
  get sentKinds(): readonly (string | undefined)[] {
    return this.sent.map(({ content }) => content?.$case);
  }

  /** The host sends a message. */
  deliver(content: MessageContent | undefined, requestId = ''): void {
    this.deliverBytes(StreamingMessage.encode({ requestId, content }).finish());
  }

  deliverBytes(bytes: Uint8Array): void {
    this.#receiver?.frame(bytes);
  }

  /** The host sends no more; the link is over when this side has ended, too. */
  deliverEnd(): void {
    this.#isHostDone = true;
    this.#receiver?.end?.();
  }

  /** From now on `send` answers false, until `relieve`. */
  congest(): void {
    this.#congestion ??= createDeferred();
  }

  relieve(): void {
    const congestion = this.#congestion;
    this.#congestion = undefined;
    congestion?.resolve();
  }

  send(frame: Uint8Array): boolean {
    if (this.#end === 'closed') return false;
    this.sent.push(StreamingMessage.decode(frame));
    return this.#congestion === undefined;
  }

  async drained(): Promise<void> {
    await this.#congestion?.promise;
  }

  receive(receiver: LinkReceiver): void {
    this.#receiver = receiver;
  }

  pause(): void {
    this.#flow = 'paused';
  }

  resume(): void {
    this.#flow = 'running';
  }

  end(): void {
    if (this.#end === 'open') this.#end = 'half-closed';
    if (this.#isHostDone && this.#end !== 'closed') this.close({ code: 0, message: '', origin: 'peer' });
  }

  cancel(status: LinkStatus): void {
    this.close({ ...status, origin: 'local' });
  }

  /** The link is over, for whatever reason. */
  close(end: LinkEnd): void {
    this.#end = 'closed';
    this.#closed.resolve(end);
    this.relieve();
  }
}
