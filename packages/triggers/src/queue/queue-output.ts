/** The storage queue output. */
import { type BindingExpression, parseBindingExpression, type QueuesExtension } from '@switchyard/model';
import type { TypedData } from '@switchyard/protocol';
import { bindingDataFrom } from '../binding-data.ts';
import type { BindingContext, OutputBindingKind } from '../contract.ts';
import { triggerErrors } from '../errors.ts';
import { resolveStorageConnection, type StorageConnection } from '../storage/storage-connection.ts';
import { fromTypedData } from '../typed-data.ts';
import { encodeMessage, type MessageEncoding } from './message-encoding.ts';
import { isQueueName } from './queue-name.ts';
import { type QueueKindDeps, readQueueName } from './queue-trigger.ts';
import { sendMessage } from './send-message.ts';

/** A queue binding of direction out, parsed. */
export interface QueueOutputOptions {
  readonly bindingName: string;
  readonly queueName: BindingExpression;
  readonly connection: StorageConnection;
  readonly encoding: QueuesExtension['messageEncoding'];
}

/** The service takes no more per message, as it is written. */
const maxMessageBytes = 65_536;

/** Makes the queue output: a list becomes one message per item, in order; the queue is created when it is missing. */
export function createQueueOutput(deps: QueueKindDeps): OutputBindingKind<QueueOutputOptions> {
  return {
    type: 'queue',
    parse(binding, scope) {
      const where = `"queueName" of function '${scope.function.name}'`;
      const queueName = parseBindingExpression(readQueueName(binding, scope), where, scope.settings);
      if (queueName.parameters.length === 0) checkName(queueName.text.toLowerCase(), scope.function.name, binding.name);
      const connection = resolveStorageConnection(binding, scope);
      return { bindingName: binding.name, queueName, connection, encoding: scope.extensions.queues.messageEncoding };
    },
    async write(options, value, bindingData, context) {
      const name = resolveName(options, bindingData, context);
      const client = deps.service.open(options.connection, name);
      for (const content of toContents(value)) {
        await sendMessage(context, client, toMessage(content, options.encoding, name));
      }
      deps.signals.notify(options.connection.queueEndpoint, name);
    },
  };
}

function resolveName(
  options: QueueOutputOptions,
  bindingData: ReadonlyMap<string, TypedData>,
  context: BindingContext,
): string {
  const { functionName } = context;
  const name = options.queueName.resolve(bindingDataFrom(bindingData), {
    clock: context.clock,
    random: context.random,
    functionName,
  });
  checkName(name.toLowerCase(), functionName, options.bindingName);
  return name.toLowerCase();
}

function checkName(name: string, functionName: string, bindingName: string): void {
  if (isQueueName(name)) return;
  throw triggerErrors.create('QUEUE_NAME_INVALID', { function: functionName, binding: bindingName, value: name });
}

/** The contents of the messages to send. A list in JSON, also one in a text, is several. */
function toContents(value: TypedData): (string | Uint8Array)[] {
  const given = value.data?.$case === 'string' ? readList(value.data.value) : fromTypedData(value);
  if (given === undefined || given === null) return [];
  return Array.isArray(given) ? given.map(toContent) : [toContent(given)];
}

function readList(text: string): unknown {
  const trimmed = text.trim();
  if (!trimmed.startsWith('[') || !trimmed.endsWith(']')) return text;
  try {
    return JSON.parse(trimmed);
  } catch {
    return text;
  }
}

function toContent(value: unknown): string | Uint8Array {
  if (typeof value === 'string' || value instanceof Uint8Array) return value;
  if (value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function toMessage(content: string | Uint8Array, encoding: MessageEncoding, queue: string): string {
  const text = encodeMessage(content, encoding);
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes <= maxMessageBytes) return text;
  throw triggerErrors.create('QUEUE_MESSAGE_TOO_LARGE', { queue, sizeBytes, limitBytes: maxMessageBytes });
}
