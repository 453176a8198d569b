import type { TypedData } from '@switchyard/protocol';
import {
  httpOutputKind,
  httpTriggerKind,
  type InputBindingKind,
  type Kinds,
  type ListenerContext,
  type ListenerTriggerKind,
  type OutputBindingKind,
  type TriggerListener,
} from '@switchyard/triggers';

/** What tests see and steer of the made-up kinds: `eventTrigger`, the input `lookup` and the output `collector`. */
export interface SampleKinds extends Kinds {
  /** One per listener that was made, in order. */
  readonly listeners: SampleListener[];
  /** What `collector` outputs got. */
  readonly collected: { readonly binding: string; readonly value: TypedData }[];
  /** Makes the next writes of the output fail. */
  failWrites(message: string | undefined): void;
}

/** A listener that a test drives. */
export class SampleListener implements TriggerListener {
  readonly context: ListenerContext;
  readonly heard: string[] = [];
  /** What `start` does; resolves by default. */
  readonly #onStart: () => Promise<void>;

  constructor(context: ListenerContext, onStart: () => Promise<void>) {
    this.context = context;
    this.#onStart = onStart;
  }

  start(): Promise<void> {
    this.heard.push('start');
    return this.#onStart();
  }

  async drain(): Promise<void> {
    this.heard.push('drain');
  }

  async close(): Promise<void> {
    this.heard.push('close');
  }
}

export function createSampleKinds(onStart: (functionName: string) => Promise<void> = async () => {}): SampleKinds {
  const listeners: SampleListener[] = [];
  const collected: { binding: string; value: TypedData }[] = [];
  let failure: string | undefined;
  const eventTrigger: ListenerTriggerKind = {
    style: 'listener',
    type: 'eventTrigger',
    parse: () => null,
    listen(_options, context) {
      const listener = new SampleListener(context, () => onStart(context.functionName));
      listeners.push(listener);
      return listener;
    },
  };
  const lookup: InputBindingKind<string> = {
    type: 'lookup',
    parse: (binding) => String(binding.raw.key ?? ''),
    async read(key, values) {
      if (key === 'throws') throw new Error('the lookup failed');
      return key === 'nothing'
        ? undefined
        : (values.get(key) ?? { data: { $case: 'string', value: `value of ${key}` } });
    },
  };
  const collector: OutputBindingKind<string> = {
    type: 'collector',
    parse: (binding) => binding.name,
    async write(binding, value) {
      if (failure !== undefined) throw new Error(failure);
      collected.push({ binding, value });
    },
  };
  const triggers = [httpTriggerKind, eventTrigger];
  const outputs: OutputBindingKind[] = [httpOutputKind, collector as OutputBindingKind];
  const same = (type: string) => (kind: { readonly type: string }) => kind.type.toLowerCase() === type.toLowerCase();
  return {
    listeners,
    collected,
    failWrites: (message) => {
      failure = message;
    },
    trigger: (type) => triggers.find(same(type)),
    webhook: () => undefined,
    input: (type) => [lookup as InputBindingKind].find(same(type)),
    output: (type) => outputs.find(same(type)),
    supportedTriggerTypes: () => triggers.map(({ type }) => type),
    supportedInputTypes: () => ['lookup'],
    supportedOutputTypes: () => outputs.map(({ type }) => type),
  };
}
