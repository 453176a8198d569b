/** Topics, and the rules by which their subscriptions choose. */
import type { Message } from 'rhea';
import type { AmqpQueue } from './amqp-queue.ts';

/** A correlation filter: everything that it has must be equal. Without anything it lets all pass. */
export interface AmqpRuleFilter {
  readonly messageId?: string;
  readonly correlationId?: string;
  readonly subject?: string;
  readonly sessionId?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
  /** A filter of SQL, of which only `1=1` and `1=0` are known. */
  readonly sqlExpression?: string;
}

export interface AmqpRule {
  readonly name: string;
  readonly filter: AmqpRuleFilter;
}

export interface AmqpSubscription {
  readonly queue: AmqpQueue;
  /** A new one has the rule `$Default`, which lets all pass. */
  readonly rules: Map<string, AmqpRule>;
}

export interface AmqpTopic {
  readonly name: string;
  readonly subscriptions: Map<string, AmqpSubscription>;
}

/** Whether any of the rules lets the message pass. */
export function passesRules(rules: Iterable<AmqpRule>, message: Message): boolean {
  for (const { filter } of rules) if (passes(filter, message)) return true;
  return false;
}

function passes(filter: AmqpRuleFilter, message: Message): boolean {
  if (filter.sqlExpression !== undefined) return filter.sqlExpression.replaceAll(' ', '') === '1=1';
  const properties = (message.application_properties ?? {}) as Readonly<Record<string, unknown>>;
  return (
    same(filter.messageId, message.message_id) &&
    same(filter.correlationId, message.correlation_id) &&
    same(filter.subject, message.subject) &&
    same(filter.sessionId, message.group_id) &&
    Object.entries(filter.properties ?? {}).every(([name, value]) => same(value, properties[name]))
  );
}

function same(wanted: unknown, found: unknown): boolean {
  return wanted === undefined || wanted === null || wanted === found;
}
