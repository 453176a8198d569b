/** Requests and messages on their way into a simulated platform, each with an id of its own and an entry in the ledger. */
import type { RuntimeApplication } from '@switchyard/runtime';
import type { EventLog, PeekLockQueue } from '@switchyard/testkit';
import type { RuntimeProcess } from './runtime-process.ts';
import type { SimulatedLedger } from './simulated-ledger.ts';
import { type HandleRequest, sendRequest } from './simulated-request.ts';

export interface SimulatedLoad {
  request(app: RuntimeApplication): void;
  message(app: RuntimeApplication): void;
  /** The Runtime died: nobody answers what was on its way. */
  connectionsBroke(): void;
}

export interface SimulatedLoadDeps {
  readonly events: EventLog;
  readonly ledger: SimulatedLedger;
  readonly queues: ReadonlyMap<string, PeekLockQueue>;
  readonly process: () => RuntimeProcess;
}

/** Known bugs of the ways in. */
export interface LoadBugs {
  readonly handleRequest?: (handle: HandleRequest) => HandleRequest;
  /** True for a message that never gets into its queue. */
  readonly loseMessage?: (messageId: string) => boolean;
}

export function createLoad({ events, ledger, queues, process }: SimulatedLoadDeps, bugs: LoadBugs): SimulatedLoad {
  const pending = new Set<string>();
  let count = 0;
  const nextId = ({ definition }: RuntimeApplication): string => {
    count += 1;
    return `${definition.applicationId}/${count}`;
  };
  const sendTo = (owner: RuntimeProcess, app: RuntimeApplication, id: string): void => {
    const direct: HandleRequest = (request, response) => owner.runtime.handleRequest(request, response);
    const handle = bugs.handleRequest?.(direct) ?? direct;
    pending.add(id);
    sendRequest(handle, `${app.definition.applicationId}.localhost`, `/api/ask?id=${id}`, (answer) => {
      if (!owner.isAlive) return;
      pending.delete(id);
      events.note(`${id} was answered ${answer.status}`);
      ledger.requestAnswered(id, answer);
    });
  };
  return {
    request(app) {
      const id = nextId(app);
      ledger.requestSent(id);
      events.note(`${id} is asked`);
      const owner = process();
      if (owner.isAlive) sendTo(owner, app, id);
      else ledger.connectionBroke(id);
    },
    message(app) {
      const id = nextId(app);
      ledger.messagePut(id);
      events.note(`${id} is put into the queue`);
      if (bugs.loseMessage?.(id) !== true) queues.get(app.definition.applicationId)?.put(id);
    },
    connectionsBroke() {
      for (const id of pending) ledger.connectionBroke(id);
      pending.clear();
    },
  };
}
