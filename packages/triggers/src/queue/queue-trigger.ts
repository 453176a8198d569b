/** The storage queue trigger. */
import type { BindingMetadata } from '@switchyard/model';
import type { BindingScope, ListenerTriggerKind } from '../contract.ts';
import { triggerErrors } from '../errors.ts';
import { isDeferred } from '../storage/deferred-binding.ts';
import { resolveStorageConnection } from '../storage/storage-connection.ts';
import type { QueueService } from './queue-client.ts';
import { QueueListener, type QueueTriggerOptions } from './queue-listener.ts';
import { isQueueName } from './queue-name.ts';
import type { QueueSignals } from './queue-signals.ts';

/** What the queue kinds work with; one of each per process. */
export interface QueueKindDeps {
  readonly service: QueueService;
  readonly signals: QueueSignals;
}

/** Makes the queue trigger. */
export function createQueueTrigger(deps: QueueKindDeps): ListenerTriggerKind<QueueTriggerOptions> {
  return {
    style: 'listener',
    type: 'queueTrigger',
    parse: (binding, scope) => ({
      queueName: parseName(binding, scope),
      connection: resolveStorageConnection(binding, scope),
      dataType: binding.dataType,
      isDeferred: isDeferred(binding),
      queues: scope.extensions.queues,
    }),
    listen: (options, context) => new QueueListener({ ...deps, context }, options),
  };
}

function parseName(binding: BindingMetadata, scope: BindingScope): string {
  const text = readQueueName(binding, scope);
  const name = scope.settings.expand(text, `"queueName" of function '${scope.function.name}'`).toLowerCase();
  if (isQueueName(name)) return name;
  const details = { function: scope.function.name, binding: binding.name, value: name };
  throw triggerErrors.create('QUEUE_NAME_INVALID', details);
}

/** The text of `queueName`. Throws QUEUE_NAME_MISSING. */
export function readQueueName(binding: BindingMetadata, scope: BindingScope): string {
  const value = binding.raw.queueName;
  if (typeof value === 'string' && value.trim() !== '') return value.trim();
  const details = { function: scope.function.name, binding: binding.name, value: JSON.stringify(value) ?? 'missing' };
  throw triggerErrors.create('QUEUE_NAME_MISSING', details);
}
