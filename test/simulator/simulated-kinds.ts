/** The trigger kinds of a simulated Runtime: HTTP, and a queue that lends its messages. */
import type { Delivery, PeekLockQueue } from '@switchyard/testkit';
import {
  httpOutputKind,
  httpTriggerKind,
  type Kinds,
  type ListenerContext,
  type ListenerTriggerKind,
  type TriggerListener,
} from '@switchyard/triggers';

export const queueTriggerType = 'simulatedQueueTrigger';

/** Messages that one listener works on at once. */
const batchSize = 4;

export interface SimulatedKindsOptions {
  /** The queue of an app. */
  readonly queueOf: (applicationId: string) => PeekLockQueue;
  /** False once the Runtime has died: its listeners receive and settle no more. */
  readonly isAlive: () => boolean;
  /** What a listener does with a delivery whose outcome it has; a test breaks it to see that it is noticed. */
  readonly settle?: (delivery: Delivery, succeeded: boolean) => void;
}

export function createSimulatedKinds(options: SimulatedKindsOptions): Kinds {
  const queueTrigger: ListenerTriggerKind = {
    style: 'listener',
    type: queueTriggerType,
    parse: () => null,
    listen: (_options, context) => new QueueListener(options, context),
  };
  const triggers = [httpTriggerKind, queueTrigger];
  const same = (type: string) => (kind: { readonly type: string }) => kind.type.toLowerCase() === type.toLowerCase();
  return {
    trigger: (type) => triggers.find(same(type)),
    webhook: () => undefined,
    input: () => undefined,
    output: (type) => [httpOutputKind].find(same(type)),
    supportedTriggerTypes: () => triggers.map(({ type }) => type),
    supportedInputTypes: () => [],
    supportedOutputTypes: () => [httpOutputKind.type],
  };
}

/** Completes what succeeded, and gives everything else back. */
export function settleByOutcome(delivery: Delivery, succeeded: boolean): void {
  if (succeeded) delivery.complete();
  else delivery.abandon();
}

class QueueListener implements TriggerListener {
  readonly #options: SimulatedKindsOptions;
  readonly #context: ListenerContext;
  readonly #queue: PeekLockQueue;
  readonly #inFlight = new Set<Promise<void>>();
  #unwatch: (() => void) | undefined;

  constructor(options: SimulatedKindsOptions, context: ListenerContext) {
    this.#options = options;
    this.#context = context;
    this.#queue = options.queueOf(context.applicationId);
  }

  async start(): Promise<void> {
    this.#unwatch = this.#queue.watch(() => this.#take());
    this.#take();
  }

  async drain(): Promise<void> {
    this.#stop();
    await Promise.all(this.#inFlight);
  }

  async close(): Promise<void> {
    this.#stop();
  }

  #stop(): void {
    this.#unwatch?.();
    this.#unwatch = undefined;
  }

  #take(): void {
    while (this.#unwatch !== undefined && this.#options.isAlive() && this.#inFlight.size < batchSize) {
      const delivery = this.#queue.receive();
      if (delivery === undefined) return;
      const work = this.#process(delivery).finally(() => {
        this.#inFlight.delete(work);
        this.#take();
      });
      this.#inFlight.add(work);
    }
  }

  async #process(delivery: Delivery): Promise<void> {
    const { messageId } = delivery;
    const data = { data: { $case: 'string', value: messageId } } as const;
    const outcome = await this.#context.invoke({ data, metadata: new Map(), reason: 'A message was lent.' });
    if (!this.#options.isAlive()) return;
    (this.#options.settle ?? settleByOutcome)(delivery, outcome.kind === 'succeeded');
  }
}
