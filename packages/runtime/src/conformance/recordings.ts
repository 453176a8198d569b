/** The recorded conversations of official workers, and what their apps consisted of. */
import { readFileSync } from 'node:fs';
import { StreamingMessage } from '@switchyard/protocol';
import type { FunctionFile } from '../contract.ts';
import { functionFile } from '../testing/sample-application.ts';

/** What a StreamingMessage carries. */
export type Content = NonNullable<StreamingMessage['content']>;

/** A recorded frame. */
export interface Frame {
  readonly fromHost: boolean;
  readonly content: Content;
}

/** A recording, and the parts of its app that it does not hold. */
export interface Recording {
  readonly name: string;
  readonly runtime: string;
  /** The app's function.json files, where its worker does not index; routes as the recorded requests have them. */
  readonly files?: readonly FunctionFile[];
  readonly workerIndexing?: boolean;
  /** The functions that the Runtime must know, in order of name. */
  readonly functions: readonly string[];
  /** How many invocations of these functions were recorded. */
  readonly invocations: number;
  /** Requests that the recorded host handed to the worker's own HTTP server, by function; the recording has none of them. */
  readonly streamed?: Readonly<Record<string, { readonly method: string; readonly path: string }>>;
}

const httpIn = (route?: string) => ({ type: 'httpTrigger', direction: 'in', name: 'req', ...(route ? { route } : {}) });
const httpOut = (name: string) => ({ type: 'http', direction: 'out', name });

function file(directory: string, name: string, content: object, files: readonly string[]): FunctionFile {
  return { ...functionFile(name, content, files), directory };
}

const apps = '/home/site/apps';
/** Every recording of the reference. */
export const recordings: readonly Recording[] = [
  {
    name: 'node-direct',
    runtime: 'node',
    invocations: 8,
    functions: ['boom', 'echo', 'env', 'hello', 'logs', 'noresp', 'q2b', 'tick'],
  },
  {
    name: 'node-placeholder',
    runtime: 'node',
    invocations: 1,
    functions: ['boom', 'echo', 'env', 'hello', 'logs', 'noresp', 'q2b', 'tick'],
  },
  { name: 'node-esm', runtime: 'node', invocations: 1, functions: ['hello'] },
  {
    name: 'node-stream',
    runtime: 'node',
    invocations: 4,
    functions: ['boom', 'drip', 'q', 'upper'],
    streamed: {
      upper: { method: 'POST', path: '/api/upper/9' },
      drip: { method: 'GET', path: '/api/drip' },
      boom: { method: 'GET', path: '/api/boom' },
    },
  },
  {
    name: 'node-v3',
    runtime: 'node',
    invocations: 4,
    functions: ['HttpRes', 'HttpReturn', 'QueueToBlob', 'TimerFn'],
    files: [
      file(`${apps}/v3app/HttpRes`, 'HttpRes', { bindings: [httpIn('v3/{id}'), httpOut('res')] }, ['index.js']),
      file(
        `${apps}/v3app/HttpReturn`,
        'HttpReturn',
        { scriptFile: '../shared.js', entryPoint: 'named', bindings: [httpIn(), httpOut('$return')] },
        [],
      ),
      file(
        `${apps}/v3app/QueueToBlob`,
        'QueueToBlob',
        {
          bindings: [
            { type: 'queueTrigger', direction: 'in', name: 'myQueueItem' },
            { type: 'blob', direction: 'out', name: 'outBlob' },
          ],
        },
        ['index.js'],
      ),
      file(`${apps}/v3app/TimerFn`, 'TimerFn', { bindings: [{ type: 'timerTrigger', direction: 'in', name: 't' }] }, [
        'index.js',
      ]),
    ],
  },
  {
    name: 'node-broken',
    runtime: 'node',
    invocations: 0,
    functions: ['x'],
    files: [file(`${apps}/broken`, 'x', { bindings: [httpIn(), httpOut('$return')] }, ['index.js'])],
  },
  { name: 'python-v2', runtime: 'python', invocations: 8, functions: ['ahello', 'boom', 'hello', 'q2b', 'tick'] },
  { name: 'python-ph', runtime: 'python', invocations: 8, functions: ['ahello', 'boom', 'hello', 'q2b', 'tick'] },
  {
    name: 'python-v1',
    runtime: 'python',
    invocations: 4,
    functions: ['HttpV1'],
    files: [
      file(`${apps}/pyv1/HttpV1`, 'HttpV1', { bindings: [httpIn('hello/{name}'), httpOut('$return')] }, [
        '__init__.py',
      ]),
    ],
  },
  {
    name: 'java',
    runtime: 'java',
    invocations: 6,
    workerIndexing: false,
    functions: ['Hello', 'Q2B'],
    files: [
      file(
        `${apps}/javaapp/Hello`,
        'Hello',
        { scriptFile: '../app.jar', entryPoint: 'demo.Fn.hello', bindings: [httpIn(), httpOut('$return')] },
        [],
      ),
      file(
        `${apps}/javaapp/Q2B`,
        'Q2B',
        {
          scriptFile: '../app.jar',
          entryPoint: 'demo.Fn.q2b',
          bindings: [
            { type: 'queueTrigger', direction: 'in', name: 'msg' },
            { type: 'blob', direction: 'out', name: 'outb' },
          ],
        },
        [],
      ),
    ],
  },
];

/** The frames of a recording, in order. */
export function readFrames(name: string): Frame[] {
  const path = new URL(`../../../../test/conformance/transcripts/${name}.jsonl`, import.meta.url);
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { dir, b64 } = JSON.parse(line) as { dir: string; b64: string };
      const { content } = StreamingMessage.decode(Buffer.from(b64, 'base64'));
      if (content === undefined) throw new Error(`${name}: a frame without content`);
      return { fromHost: dir === 'host->worker', content };
    });
}
