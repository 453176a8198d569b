/**
 * What a first invocation would otherwise wait for. Node.js loads its fetch classes when the first Request is made:
 * about 15 ms of the 20 that a first HTTP call takes. Code that ran once is compiled, too.
 */
import { type InvocationRequest, StreamingMessage } from '@switchyard/protocol';
import { App } from './app/app.ts';
import type { CoreInvocationContext, InvocationModel, ProgrammingModel } from './core/core-types.ts';
import { LongIntegers } from './data/long-integers.ts';
import { Cancellation } from './invocation/cancellation.ts';
import { runInvocation } from './invocation/invocation.ts';
import type { WorkerLog } from './worker-log.ts';

/** Loads ahead of time what a first call would wait for. */
export interface Warmer {
  /** For an HTTP function. */
  fetch(): Promise<void>;
  /** For a placeholder that waits for its app. */
  placeholder(): Promise<void>;
}

/** Modules of Node.js that apps and their SDKs load sooner or later, and that cost a millisecond or so. */
const usualModules = ['node:crypto', 'node:fs/promises', 'node:https', 'node:os', 'node:stream/promises', 'node:zlib'];

/** How often the rehearsal runs: enough for everything to be compiled, not enough to be felt. */
const rehearsals = 5;

export function createWarmer(importModule: (url: string) => Promise<unknown>): Warmer {
  return {
    fetch: makeRequest,
    async placeholder() {
      await Promise.all(usualModules.map((name) => importModule(name)));
      await importModule('data:text/javascript,');
      for (let count = 0; count < rehearsals; count += 1) await rehearse();
    },
  };
}

/** One HTTP request and response as a function would make them, without a network. */
async function makeRequest(): Promise<void> {
  const init = { method: 'POST', body: Buffer.from('{}'), headers: { 'content-type': 'application/json' } };
  const request = new Request('http://127.0.0.1/?a=b', init);
  const query = new URL(request.url).searchParams;
  const headers = new Headers({ 'x-name': query.get('a') ?? '' });
  const response = new Response(JSON.stringify(await request.json()), { status: 200, headers });
  for (const [name] of response.headers.entries()) headers.delete(name);
  await response.arrayBuffer();
}

/** Takes an invocation through everything that is ours, from bytes to bytes, with nobody listening. */
async function rehearse(): Promise<void> {
  const name = 'request';
  const binding = { type: 'httpTrigger', direction: 'in' as const };
  const app = new App('');
  app.functions.register({ name, bindings: { [name]: binding } }, () => undefined);
  const called = app.functions.find(name);
  const sent = StreamingMessage.encode({ requestId: '', content: { $case: 'invocationRequest', value: sample } });
  const { content } = StreamingMessage.decode(sent.finish());
  if (!called || content?.$case !== 'invocationRequest') return;
  const deps = { app, model: rehearsalModel, longs: new LongIntegers(), log: deaf, cancellation: new Cancellation('') };
  const value = await runInvocation(deps, called, content.value);
  StreamingMessage.encode({ requestId: '', content: { $case: 'invocationResponse', value } }).finish();
}

const deaf: WorkerLog = { system: () => {}, write: () => {} };

const text = (value: string): { string: { $case: 'value'; value: string } } => ({ string: { $case: 'value', value } });

const sample: InvocationRequest = {
  invocationId: 'rehearsal',
  functionId: 'request',
  inputData: [
    {
      name: 'request',
      rpcData: {
        $case: 'data',
        value: {
          data: {
            $case: 'http',
            value: {
              method: 'POST',
              url: 'http://127.0.0.1/',
              headers: new Map(),
              body: { data: { $case: 'bytes', value: new Uint8Array(2) } },
              params: new Map(),
              statusCode: '',
              query: new Map(),
              enableContentNegotiation: false,
              rawBody: undefined,
              identities: [],
              cookies: [],
              nullableHeaders: new Map([['content-type', text('application/json')]]),
              nullableParams: new Map([['id', text('1')]]),
              nullableQuery: new Map([['name', text('x')]]),
            },
          },
        },
      },
    },
  ],
  triggerMetadata: new Map([['Id', { data: { $case: 'string', value: '1' } }]]),
  traceContext: { traceParent: 'a', traceState: 'b', attributes: new Map([['c', 'd']]), baggage: new Map() },
  retryContext: { retryCount: 0, maxRetryCount: 1, exception: undefined },
};

const rehearsalModel: ProgrammingModel = {
  name: 'rehearsal',
  version: '0',
  getInvocationModel: ({ request }: CoreInvocationContext): InvocationModel => ({
    async getArguments() {
      await makeRequest();
      return { context: {}, inputs: [request] };
    },
    invokeFunction: (context, inputs, callback) => callback(...inputs, context),
    getResponse: () => ({
      outputData: [{ name: 'a', data: { string: 'b' } }],
      returnValue: {
        http: { statusCode: '200', headers: { a: 'b' }, cookies: [], body: { bytes: new Uint8Array(2) } },
      },
    }),
  }),
};
