/**
 * The channel of a Runtime to the installation that it has joined, made again whenever it ends.
 *
 * Phases: Joining -> Joined -> Joining ... -> Closed. Ownership: the composition root of the Runtime's process.
 *
 * I1 A report is sent every `reportMs`, and one at a time; what may listen is what the last answer said, for its time.
 * I2 When the channel ends everything that the installation gave is given up (`onLeft`) before this Runtime joins again.
 * I3 A refusal for good (no right, no room, not understood) ends the tries; anything else is tried again after `retryMs`.
 */
import { type Clock, isPlatformError, type Log, messageOf, type PlatformError } from '@switchyard/kernel';
import { createFramePeer, type FramePeer, grpcStatus, type Link } from '@switchyard/protocol';
import { type JoinAnswer, type JoinRequest, joinAnswerSchema } from '@switchyard/protocol/control-api';
import { HeldListeners, type ListenerAnswer } from '@switchyard/scale-controller';
import { fleetErrors } from '../errors.ts';
import { callMs, type InstallationCalls, type InstallationNotes, type RuntimeReport } from '../messages.ts';
import { joinDefaults } from './join-options.ts';

export interface InstallationLinkDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly url: string;
  readonly dial: () => Link;
  readonly request: JoinRequest;
  readonly report: () => Omit<RuntimeReport, 'adopted'>;
  readonly call: (method: string, body: unknown) => Promise<unknown>;
  readonly note: (method: string, body: unknown) => void;
  readonly onJoined: (answer: JoinAnswer) => void;
  /** Everything that came over the channel is void. */
  readonly onLeft: () => Promise<void>;
}

export class InstallationLink {
  readonly #deps: InstallationLinkDeps;
  readonly listeners: HeldListeners;
  #peer: FramePeer | undefined;
  #isClosed = false;
  #isReporting = false;
  #isHurried = false;

  constructor(deps: InstallationLinkDeps) {
    this.#deps = deps;
    this.listeners = new HeldListeners(deps.clock);
  }

  /** Joins, and stays joined. Resolves at the first success; rejects with FLEET_JOIN_REFUSED when it is refused for good. */
  async open(): Promise<void> {
    const { clock, log, url } = this.#deps;
    for (;;) {
      try {
        const peer = await this.#join();
        void peer.closed.then(() => this.#left());
        return;
      } catch (thrown) {
        if (this.#isClosed) return;
        if (isFinal(thrown)) throw fleetErrors.create('FLEET_JOIN_REFUSED', { url, reason: messageOf(thrown) }, thrown);
        log.write('warning', 'The installation cannot be joined yet', { url, reason: messageOf(thrown) });
        await new Promise<void>((resolve) => void clock.schedule(joinDefaults.retryMs, resolve));
      }
    }
  }

  async call<Method extends keyof InstallationCalls>(
    method: Method,
    body: InstallationCalls[Method][0],
  ): Promise<InstallationCalls[Method][1]> {
    if (this.#peer === undefined) throw fleetErrors.create('FLEET_METHOD_UNKNOWN', { method });
    const timeoutMs = method === 'leave' ? callMs.leave : callMs.quick;
    return (await this.#peer.call(method, body, timeoutMs)) as InstallationCalls[Method][1];
  }

  note<Method extends keyof InstallationNotes>(method: Method, body: InstallationNotes[Method]): void {
    this.#peer?.note(method, body);
  }

  /** A line for the installation's log; dropped when too many wait. */
  line(line: InstallationNotes['log']): void {
    if ((this.#peer?.bufferedBytes ?? 0) < joinDefaults.maxLogBytes) this.#peer?.note('log', line);
  }

  /** A frame for whoever watches; false when too much waits for it. */
  frame(frame: InstallationNotes['traced']): boolean {
    if (this.#peer === undefined || this.#peer.bufferedBytes >= joinDefaults.maxTraceBytes) return false;
    this.#peer.note('traced', frame);
    return true;
  }

  /** Reports at once, and again when a report is under way. */
  async report(): Promise<void> {
    if (this.#isReporting) {
      this.#isHurried = true;
      return;
    }
    this.#isReporting = true;
    do {
      this.#isHurried = false;
      await this.#reportOnce();
    } while (this.#isHurried);
    this.#isReporting = false;
  }

  /** Has the installation take its apps elsewhere. Never rejects. */
  async leave(): Promise<void> {
    await this.call('leave', null).catch((thrown: unknown) =>
      this.#deps.log.write('warning', 'The installation did not take the apps over', { reason: messageOf(thrown) }),
    );
  }

  close(): void {
    this.#isClosed = true;
    this.#peer?.close({ code: grpcStatus.cancelled, message: 'the Runtime ends' });
    this.listeners.close();
  }

  #listenerMs = 0;

  async #reportOnce(): Promise<void> {
    const peer = this.#peer;
    if (peer === undefined) return;
    const sentMs = this.#deps.clock.monotonic();
    try {
      const body = { ...this.#deps.report(), adopted: this.listeners.adopted };
      const answer = (await peer.call('report', body, callMs.quick)) as ListenerAnswer;
      if (this.#peer === peer) this.listeners.adopt(answer, sentMs, this.#listenerMs);
    } catch (thrown) {
      if (this.#peer === peer)
        this.#deps.log.write('debug', 'A report was not answered', { reason: messageOf(thrown) });
    }
  }

  async #join(): Promise<FramePeer> {
    const { clock, dial, request, call, note, onJoined } = this.#deps;
    const link = dial();
    const peer = createFramePeer(clock, link, { call, note });
    let answer: JoinAnswer;
    try {
      answer = joinAnswerSchema.parse(await peer.call('join', request, joinDefaults.connectMs));
    } catch (thrown) {
      peer.close({ code: grpcStatus.cancelled, message: 'it has not joined' });
      const { code } = await peer.closed;
      if (code === grpcStatus.permissionDenied || code === grpcStatus.unauthenticated) {
        throw fleetErrors.create('FLEET_JOIN_REFUSED', { url: this.#deps.url, reason: messageOf(thrown) });
      }
      throw thrown;
    }
    this.#peer = peer;
    this.#listenerMs = answer.listenerMs;
    onJoined(answer);
    this.#beat(peer, answer.reportMs);
    return peer;
  }

  #beat(peer: FramePeer, reportMs: number): void {
    if (this.#peer !== peer) return;
    void this.report();
    this.#deps.clock.schedule(reportMs, () => this.#beat(peer, reportMs));
  }

  async #left(): Promise<void> {
    this.#peer = undefined;
    if (this.#isClosed) return;
    this.#deps.log.write('warning', 'The channel to the installation has ended; this Runtime joins again', {});
    this.listeners.close();
    await this.#deps.onLeft();
    await this.open().catch((thrown: unknown) =>
      this.#deps.log.write('error', 'The installation does not take this Runtime back', { reason: messageOf(thrown) }),
    );
  }
}

const finalCodes: ReadonlySet<string> = new Set([
  'FLEET_FULL',
  'FLEET_JOIN_IN_CLEAR',
  'FLEET_JOIN_INVALID',
  'FLEET_JOIN_REFUSED',
]);

function isFinal(thrown: unknown): thrown is PlatformError {
  return isPlatformError(thrown) && finalCodes.has(thrown.code);
}
