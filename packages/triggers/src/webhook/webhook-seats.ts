/**
 * The functions that listen behind one extension's webhook.
 *
 * Purpose: a request names a function, and the process serves many apps; this finds whom to run.
 * Phases of a seat: Waiting -> Seated (after `start`) -> Left. Ownership: a kind and its webhook share one registry; each
 * listener owns its seat.
 *
 * I1 A request finds a function of its own app alone, by name in any case.
 * I2 Of several versions of a function the one that sat down last is found; when it leaves, the one before is.
 * I3 A seat that was left is found no more; `drain` waits for what it runs.
 */
import { TransientSet } from '@switchyard/kernel';
import { aborted } from '../aborted.ts';
import type { InvocationOutcome, ListenerContext, TriggerEvent, TriggerListener } from '../contract.ts';

/** A function that listens, with what its kind keeps of its binding. */
export interface WebhookSeat<Options> {
  readonly options: Options;
  readonly context: ListenerContext;
}

export class WebhookSeats<Options> {
  readonly #seats: WebhookSeat<Options>[] = [];

  find(applicationId: string, functionName: string): WebhookSeat<Options> | undefined {
    const wanted = functionName.toLowerCase();
    return this.#seats.findLast(
      ({ context }) => context.applicationId === applicationId && context.functionName.toLowerCase() === wanted,
    );
  }

  /** A listener that can be found from its start on. */
  listen(options: Options, context: ListenerContext): TriggerListener {
    const running = new TransientSet<Promise<InvocationOutcome>>();
    const invoke = (event: TriggerEvent): Promise<InvocationOutcome> => {
      const outcome = context.invoke(event);
      running.add(outcome);
      void outcome.finally(() => running.delete(outcome));
      return outcome;
    };
    const seat = { options, context: { ...context, invoke } };
    const leave = (): void => {
      const at = this.#seats.indexOf(seat);
      if (at >= 0) this.#seats.splice(at, 1);
    };
    return {
      start: async (signal) => {
        signal.throwIfAborted();
        this.#seats.push(seat);
      },
      drain: async (signal) => {
        leave();
        await Promise.race([Promise.allSettled(running), aborted(signal)]);
      },
      close: async () => leave(),
    };
  }
}
