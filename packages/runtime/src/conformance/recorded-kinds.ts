import type { TypedData } from '@switchyard/protocol';
import { httpOutputKind, httpTriggerKind, type ListenerContext } from '@switchyard/triggers';
import type { SampleKinds } from '../testing/sample-kinds.ts';

/** What the listeners of recorded functions were given, by function. */
export interface RecordedKinds extends SampleKinds {
  readonly contexts: Map<string, ListenerContext>;
}

/** HTTP as it is, and a stand-in for every other trigger and output of the recorded apps. */
export function createRecordedKinds(): RecordedKinds {
  const contexts = new Map<string, ListenerContext>();
  const collected: { binding: string; value: TypedData }[] = [];
  const idle = { start: async () => {}, drain: async () => {}, close: async () => {} };
  return {
    contexts,
    collected,
    listeners: [],
    failWrites: () => {},
    webhook: () => undefined,
    trigger: (type) =>
      type === 'httpTrigger'
        ? httpTriggerKind
        : {
            style: 'listener',
            type,
            parse: () => null,
            listen: (_options, context) => {
              contexts.set(context.functionName, context);
              return idle;
            },
          },
    input: () => undefined,
    output: (type) =>
      type === 'http'
        ? httpOutputKind
        : {
            type,
            parse: (binding) => binding.name,
            write: async (binding, value) => {
              collected.push({ binding: String(binding), value });
            },
          },
    supportedTriggerTypes: () => [],
    supportedInputTypes: () => [],
    supportedOutputTypes: () => [],
  };
}
