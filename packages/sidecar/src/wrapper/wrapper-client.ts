/** A wrapper in another process, by its socket. Carries requests over a transport that the composition root opens. */
import { type Clock, messageOf, withDeadline } from '@switchyard/kernel';
import { parseUsage } from '@switchyard/protocol';
import type { LaunchChange, RestartOutcome, SupervisorStatus, WorkerControl } from './contract.ts';

/** One request and its answer. Rejects when there is no answer. */
export type WrapperTransport = (request: {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body: string;
}) => Promise<{ readonly status: number; readonly body: string }>;

export interface WrapperClient extends WorkerControl {
  /** Asks the wrapper to end its worker and itself. False when it was not reached: then it has ended, or never was. */
  shutdown(graceMs?: number): Promise<boolean>;
  /** Undefined when the wrapper was not reached. */
  status(): Promise<SupervisorStatus | undefined>;
}

/** A wrapper answers at once, whatever it begins. */
const answerMs = 5_000;

export function createWrapperClient(deps: {
  readonly clock: Clock;
  readonly transport: WrapperTransport;
}): WrapperClient {
  const ask = async (method: 'GET' | 'POST', path: string, body: unknown): Promise<Answer> => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const late = (): Error => new Error(`no answer came within ${answerMs} ms`);
    const reply = await withDeadline(deps.clock, answerMs, deps.transport({ method, path, body: text }), late);
    return { status: reply.status, json: parseRecord(reply.body) };
  };
  return {
    async restart(reason: string, change: LaunchChange = {}) {
      try {
        return toOutcome(await ask('POST', '/restart', { reason, ...change }));
      } catch (thrown) {
        return { kind: 'rejected', reason: `the wrapper was not reached: ${messageOf(thrown)}` };
      }
    },
    async shutdown(graceMs) {
      try {
        const { status } = await ask('POST', '/shutdown', graceMs === undefined ? {} : { graceMs });
        return status === 202;
      } catch {
        return false;
      }
    },
    async status() {
      try {
        const { status, json } = await ask('GET', '/status', undefined);
        return status === 200 ? toStatus(json) : undefined;
      } catch {
        return undefined;
      }
    },
  };
}

interface Answer {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
}

function toOutcome({ status, json }: Answer): RestartOutcome {
  if (status === 202) return { kind: 'accepted' };
  if (json.status === 'in-progress') return { kind: 'in-progress' };
  const said = typeof json.message === 'string' ? json.message : 'it gave no reason';
  return { kind: 'rejected', reason: `the wrapper refused (status ${status}): ${said}` };
}

/** What is not there, or is not what it should be, makes the whole unreadable: no guesses about a launch. */
function toStatus(json: Readonly<Record<string, unknown>>): SupervisorStatus | undefined {
  const { state, pid, starts, restarts, crashes, launch } = json;
  const isCounted = [starts, restarts, crashes].every((count) => typeof count === 'number');
  if (typeof state !== 'string' || !states.has(state) || !isCounted || !isLaunch(launch)) return undefined;
  return {
    state: state as SupervisorStatus['state'],
    pid: typeof pid === 'number' ? pid : undefined,
    starts: Number(starts),
    restarts: Number(restarts),
    crashes: Number(crashes),
    launch,
    usage: parseUsage(json.usage),
  };
}

const states: ReadonlySet<string> = new Set<SupervisorStatus['state']>([
  'created',
  'running',
  'restarting',
  'backing-off',
  'stopping',
  'ended',
]);

function isLaunch(value: unknown): value is SupervisorStatus['launch'] {
  if (typeof value !== 'object' || value === null) return false;
  const { executable, arguments: words, workerPath } = value as Readonly<Record<string, unknown>>;
  const isText = (text: unknown): boolean => typeof text === 'string';
  return isText(executable) && isText(workerPath) && Array.isArray(words) && words.every(isText);
}

function parseRecord(text: string): Readonly<Record<string, unknown>> {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null ? (json as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}
