/**
 * Asks the sidecars of pods that serve an app what these use, one look after the other.
 *
 * Ownership: each provider of pods that run elsewhere has one, and closes it.
 *
 * I1 Pods that serve nothing are not asked, and nothing is asked while there is none that serves; after `close` no timer is left.
 * I2 At most `maxAtOnce` are asked at once, and each again only when all of a look have answered.
 * I3 A pod that does not answer within `answerMs` keeps what it said last for `staleMs`; then nothing is known of it.
 */
import { type Clock, type Timer, withDeadline } from '@switchyard/kernel';
import { parseUsage, type WorkerUsage } from '@switchyard/protocol';
import type { HttpExchange } from '@switchyard/protocol/http-exchange';
import { z } from 'zod';
import type { RemotePod } from './remote-pod.ts';

export interface PodUsageWatchDeps {
  readonly clock: Clock;
  /** Reaches the sidecars. */
  readonly exchange: HttpExchange;
}

interface Watched {
  readonly url: string;
  usage: WorkerUsage | undefined;
  heardAtMs: number;
}

const lookMs = 2_000;
const answerMs = 5_000;
const staleMs = 15_000;
const maxAtOnce = 32;

export class PodUsageWatch {
  readonly #deps: PodUsageWatchDeps;
  readonly #pods = new Map<string, Watched>();
  #timer: Timer | undefined;
  #isLooking = false;
  #isClosed = false;

  constructor(deps: PodUsageWatchDeps) {
    this.#deps = deps;
  }

  /** From now on, until the pod ends. */
  add({ workerId, ended }: Pick<RemotePod, 'workerId' | 'ended'>, url: string): void {
    if (this.#isClosed) return;
    this.#pods.set(workerId, { url, usage: undefined, heardAtMs: 0 });
    void ended.then(() => this.#pods.delete(workerId));
    this.#plan();
  }

  usageOf(workerId: string): WorkerUsage | undefined {
    const watched = this.#pods.get(workerId);
    if (watched === undefined || this.#deps.clock.monotonic() - watched.heardAtMs > staleMs) return undefined;
    return watched.usage;
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#pods.clear();
  }

  #plan(): void {
    if (this.#timer !== undefined || this.#isLooking || this.#isClosed || this.#pods.size === 0) return;
    this.#timer = this.#deps.clock.schedule(lookMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    this.#timer = undefined;
    this.#isLooking = true;
    const all = [...this.#pods.values()].values();
    await Promise.all(Array.from({ length: maxAtOnce }, () => this.#askEach(all)));
    this.#isLooking = false;
    this.#plan();
  }

  /** Takes one after the other of what is left. */
  async #askEach(left: Iterator<Watched>): Promise<void> {
    for (let next = left.next(); next.done !== true; next = left.next()) {
      const watched = next.value;
      const usage = await this.#ask(watched.url);
      if (usage === undefined) continue;
      watched.usage = usage;
      watched.heardAtMs = this.#deps.clock.monotonic();
    }
  }

  /** A sidecar that is not well says so with another status, and what it uses all the same. */
  async #ask(url: string): Promise<WorkerUsage | undefined> {
    const { clock, exchange } = this.#deps;
    try {
      const answer = exchange({ method: 'GET', url: `${url}/health`, headers: {} });
      const { text } = await withDeadline(clock, answerMs, answer, () => new Error(`no answer within ${answerMs} ms`));
      return parseUsage(healthSchema.parse(JSON.parse(text)).data.usage);
    } catch {
      // Whether the pod is still there is for its provider to say.
      return undefined;
    }
  }
}

const healthSchema = z.object({ data: z.object({ usage: z.unknown() }) });
