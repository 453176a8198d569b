import { createDeferred, type Deferred } from '@switchyard/kernel';
import type { InvocationOutcome, LossReason, TriggerEvent } from '../contract.ts';

/** One call of a function that the test answers. */
export interface ScriptedCall {
  readonly event: TriggerEvent;
  readonly answer: Deferred<InvocationOutcome>;
}

/** A stand-in for `invoke` that records its calls. */
export interface ScriptedInvoke {
  readonly calls: ScriptedCall[];
  invoke(event: TriggerEvent): Promise<InvocationOutcome>;
}

/** With `answer` every call is answered at once; without it the test answers each. */
export function createScriptedInvoke(
  answer?: (event: TriggerEvent, call: number) => InvocationOutcome,
): ScriptedInvoke {
  const calls: ScriptedCall[] = [];
  return {
    calls,
    invoke(event) {
      const call = { event, answer: createDeferred<InvocationOutcome>() };
      calls.push(call);
      if (answer !== undefined) call.answer.resolve(answer(event, calls.length));
      return call.answer.promise;
    },
  };
}

export function succeeded(): InvocationOutcome {
  return { kind: 'succeeded', invocationId: 'i', outputs: new Map(), returnValue: undefined };
}

export function failed(): InvocationOutcome {
  return { kind: 'failed', invocationId: 'i', error: { message: 'kaboom', stack: '', type: 'Error' } };
}

export function lost(reason: LossReason): InvocationOutcome {
  return { kind: 'lost', invocationId: 'i', reason, error: { message: reason, stack: '', type: '' } };
}
