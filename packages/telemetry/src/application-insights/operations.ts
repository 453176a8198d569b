/**
 * Which part of a trace an invocation is, for what is told of it before and after it runs.
 *
 * Ownership: the sink of one app.
 *
 * I1 An invocation is known from its beginning until what was queued before its end, and right after it, has been read.
 * I2 Never more than `maxKnown` are known; of more the oldest are forgotten. Nor do more that have ended wait to be forgotten,
 *    however long nothing is read: those beyond are forgotten at once.
 */
import { type RunningFunction, TransientMap } from '@switchyard/kernel';
import type { Operation } from './envelope.ts';

const maxKnown = 20_000;

export class Operations {
  readonly #known = new TransientMap<string, Operation>();
  #ended: string[] = [];
  #endedBefore: string[] = [];

  begin({ invocationId, functionName, traceId, spanId }: RunningFunction): void {
    if (this.#known.size >= maxKnown && !this.#known.has(invocationId)) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    this.#known.set(invocationId, { traceId, parentId: spanId, name: functionName });
  }

  end(invocationId: string): void {
    if (this.#ended.length < maxKnown) this.#ended.push(invocationId);
    else this.#known.delete(invocationId);
  }

  of(invocationId: string | undefined): Operation | undefined {
    return invocationId === undefined ? undefined : this.#known.get(invocationId);
  }

  /** Everything that was queued has been read. */
  sweep(): void {
    for (const invocationId of this.#endedBefore) this.#known.delete(invocationId);
    this.#endedBefore = this.#ended;
    this.#ended = [];
  }
}
