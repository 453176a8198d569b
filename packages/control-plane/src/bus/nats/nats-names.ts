/**
 * What things are called on NATS. Every topic has a stream `SY_<topic>` with the subjects
 * `sy.<topic>.<target>.<partition>`: target is `all`, or the one subscription that a copy is for. Ordering keys are spread
 * over partitions, and an ordered subscription has a consumer for each of them that gives out one event at a time.
 */
import { createHash } from 'node:crypto';
import type { Subscription } from '../contract.ts';

/** What all subscriptions get. A subscription cannot have this name: see `targetOf`. */
export const everybody = 'all';

/** How many events of an ordered subscription can be out at once: one for each partition. */
const partitionCount = 8;

/** The partition of events without a key, which are never held back. */
const keyless = 'px';

/** The stream of all dead letters, and of what is remembered of failed deliveries. */
export const deadLetterStream = 'SY-DEAD';
export const historyStream = 'SY-HISTORY';

export function streamOf(topic: string): string {
  return `SY_${topic}`;
}

export function subjectOf(topic: string, target: string, orderingKey: string | undefined): string {
  return `sy.${topic}.${target}.${partitionOf(orderingKey)}`;
}

export function allSubjectsOf(topic: string): string {
  return `sy.${topic}.>`;
}

/** A prefix keeps a subscription that is named `all` apart. */
export function targetOf(subscription: string): string {
  return `to-${subscription}`;
}

export function deadLetterSubject(topic: string, subscription: string): string {
  return `syd.${topic}.${subscription}`;
}

export function historySubject(topic: string, subscription: string, sequence: number): string {
  return `syh.${topic}.${subscription}.${sequence}`;
}

/** One consumer of a subscription. */
export interface ConsumerName {
  readonly name: string;
  readonly filter: string;
  /** Whether it gives out one event at a time. */
  readonly isSerial: boolean;
}

export function consumersOf({
  topic,
  name,
  ordered,
}: Pick<Subscription, 'topic' | 'name' | 'ordered'>): ConsumerName[] {
  if (!ordered) return [{ name, filter: allSubjectsOf(topic), isSerial: false }];
  const partitions = Array.from({ length: partitionCount }, (_, index) => `p${index}`);
  return [...partitions, keyless].map((partition) => ({
    name: `${name}_${partition}`,
    filter: `sy.${topic}.*.${partition}`,
    isSerial: partition !== keyless,
  }));
}

function partitionOf(orderingKey: string | undefined): string {
  if (orderingKey === undefined) return keyless;
  return `p${createHash('sha256').update(orderingKey).digest().readUInt32BE() % partitionCount}`;
}
