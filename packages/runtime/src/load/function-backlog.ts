import type { Backlog } from '@switchyard/triggers';

/** What waits outside for a function: in a queue, a subscription, among blobs. */
export interface FunctionBacklog extends Backlog {
  readonly functionName: string;
}
