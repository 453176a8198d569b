/**
 * Everything that leaves a worker, in order, without ever growing past its bounds.
 *
 * While the connection is congested frames wait here and nothing is received: the host's invocations stay in the
 * flow-control window, so what waits is bounded by the invocations in flight. Log lines beyond `logLimit` are dropped.
 * Ownership: one per link.
 *
 * I1 Frames leave in the order in which they were given.
 * I2 While frames wait, the link is paused; afterwards it is resumed.
 * I3 At most `logLimit` log lines wait; how many more there were is told afterwards.
 */
import { type RpcLog, RpcLog_Level, RpcLog_RpcLogCategory, StreamingMessage } from '../gen/function-rpc.ts';
import type { Link } from '../link.ts';

/** What a message carries. */
export type MessageContent = NonNullable<StreamingMessage['content']>;

type State =
  | { readonly kind: 'flowing' }
  | { readonly kind: 'congested'; readonly waiting: Uint8Array[]; logs: number; droppedLogs: number };

export class Outbox {
  readonly #link: Link;
  readonly #logLimit: number;
  #state: State = { kind: 'flowing' };

  constructor(link: Link, logLimit: number) {
    this.#link = link;
    this.#logLimit = logLimit;
  }

  /** Sends an answer under the id of its request. */
  send(requestId: string, content: MessageContent): void {
    this.#post(StreamingMessage.encode({ requestId, content }).finish());
  }

  sendLog(log: RpcLog): void {
    const state = this.#state;
    if (state.kind === 'congested') {
      if (state.logs >= this.#logLimit) {
        state.droppedLogs += 1;
        return;
      }
      state.logs += 1;
    }
    this.#post(encodeLog(log));
  }

  #post(frame: Uint8Array): void {
    if (this.#state.kind === 'congested') this.#state.waiting.push(frame);
    else if (!this.#link.send(frame)) this.#wait([]);
  }

  #wait(waiting: Uint8Array[]): void {
    this.#state = { kind: 'congested', waiting, logs: 0, droppedLogs: 0 };
    this.#link.pause();
    // `drained` never rejects: it also resolves when the link has ended, and then everything is dropped there.
    void this.#link.drained().then(() => this.#flush());
  }

  #flush(): void {
    if (this.#state.kind !== 'congested') return;
    const { waiting, droppedLogs } = this.#state;
    if (droppedLogs > 0) waiting.push(encodeLog(droppedLine(droppedLogs)));
    let sent = 0;
    let flows = true;
    while (flows && sent < waiting.length) flows = this.#link.send(waiting[sent++] ?? nothing);
    if (!flows) {
      this.#wait(waiting.slice(sent));
      return;
    }
    this.#state = { kind: 'flowing' };
    this.#link.resume();
  }
}

const nothing = new Uint8Array();

/** A log line with nothing in it. */
export function emptyLog(): RpcLog {
  return {
    invocationId: '',
    category: '',
    level: RpcLog_Level.Information,
    message: '',
    eventId: '',
    exception: undefined,
    properties: '',
    logCategory: RpcLog_RpcLogCategory.System,
    propertiesMap: new Map(),
  };
}

function encodeLog(log: RpcLog): Uint8Array {
  return StreamingMessage.encode({ requestId: '', content: { $case: 'rpcLog', value: log } }).finish();
}

function droppedLine(count: number): RpcLog {
  const message = `The connection to the host was congested: ${count} log lines were dropped.`;
  return { ...emptyLog(), level: RpcLog_Level.Warning, message };
}
