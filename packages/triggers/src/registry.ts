/** All trigger and binding kinds, as data. A new kind is a new folder and one line here. */
import type { InputBindingKind, OutputBindingKind, TriggerKind } from './contract.ts';
import { httpOutputKind, httpTriggerKind } from './http/http-trigger.ts';
import type { QueueService } from './queue/queue-client.ts';
import { createQueueOutput } from './queue/queue-output.ts';
import { QueueSignals } from './queue/queue-signals.ts';
import { createQueueTrigger } from './queue/queue-trigger.ts';
import type { TimerStatusStore } from './timer/timer-status-store.ts';
import { createTimerTrigger } from './timer/timer-trigger.ts';

/** What the kinds work with. */
export interface KindsDeps {
  readonly queues: QueueService;
  readonly timerStatus: TimerStatusStore;
}

/** The kinds of one process, found by binding type without regard to case. */
export interface Kinds {
  trigger(type: string): TriggerKind | undefined;
  input(type: string): InputBindingKind | undefined;
  output(type: string): OutputBindingKind | undefined;
  /** The types as the documentation spells them, in order, for messages. */
  supportedTriggerTypes(): readonly string[];
  supportedInputTypes(): readonly string[];
  supportedOutputTypes(): readonly string[];
}

/** Makes every kind. Queue kinds share their signals, so one set of kinds serves all apps of a process. */
export function createKinds(deps: KindsDeps): Kinds {
  const queues = { service: deps.queues, signals: new QueueSignals() };
  const triggers = byType<TriggerKind>([
    httpTriggerKind,
    createTimerTrigger({ status: deps.timerStatus }),
    createQueueTrigger(queues),
  ]);
  const inputs = byType<InputBindingKind>([]);
  const outputs = byType<OutputBindingKind>([httpOutputKind, createQueueOutput(queues)]);
  return {
    trigger: (type) => triggers.get(type.toLowerCase()),
    input: (type) => inputs.get(type.toLowerCase()),
    output: (type) => outputs.get(type.toLowerCase()),
    supportedTriggerTypes: () => typesOf(triggers),
    supportedInputTypes: () => typesOf(inputs),
    supportedOutputTypes: () => typesOf(outputs),
  };
}

function byType<Kind extends { readonly type: string }>(kinds: readonly Kind[]): ReadonlyMap<string, Kind> {
  return new Map(kinds.map((kind) => [kind.type.toLowerCase(), kind]));
}

function typesOf(kinds: ReadonlyMap<string, { readonly type: string }>): readonly string[] {
  return [...kinds.values()].map((kind) => kind.type).sort();
}
