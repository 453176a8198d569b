/**
 * The floor of a warm invocation: our worker, driven by a host that does nothing but send the request's frame and read
 * the answer's. The worker is a process of its own; the host lives in this one.
 */
import { fileURLToPath } from 'node:url';
import { systemClock } from '@switchyard/kernel';
import {
  type ParameterBinding,
  type RpcFunctionMetadata,
  RpcHttp,
  StatusResult_Status,
  type TypedData,
} from '@switchyard/protocol';
import { openScriptedHostServer, type ScriptedHost } from '@switchyard/testkit';
import { start } from './processes.ts';
import { median } from './statistics.ts';

const warmUpCalls = 500;
const measuredCalls = 3_000;
const application = fileURLToPath(new URL('./fixtures/hello-app', import.meta.url));
const workerPath = fileURLToPath(new URL('../../packages/worker-node/dist/worker.cjs', import.meta.url));

/** A worker with the hello function loaded. */
export interface RawWorker {
  /** The median of one round of calls, one at a time, in milliseconds. */
  sampleP50Ms(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts the worker, indexes and loads its function. */
export async function openRawWorker(): Promise<RawWorker> {
  const server = await openScriptedHostServer(systemClock);
  const started = start(process.execPath, [workerPath, ...server.workerArguments('raw')], { cwd: application });
  const host = await server.accept();
  await host.workerId;
  await host.init(application);
  const { functionMetadataResults } = await host.index(application);
  const metadata = functionMetadataResults[0];
  if (!metadata) throw new Error(`the worker found no function: ${started.output()}`);
  await host.load(metadata.functionId, metadata);
  const sampleP50Ms = async (): Promise<number> => {
    for (let call = 0; call < warmUpCalls; call += 1) await invokeHello(host, metadata);
    const timesMs: number[] = [];
    for (let call = 0; call < measuredCalls; call += 1) {
      const sentMs = performance.now();
      await invokeHello(host, metadata);
      timesMs.push(performance.now() - sentMs);
    }
    return median(timesMs);
  };
  return {
    sampleP50Ms,
    async stop() {
      await started.stop();
      await server.close();
    },
  };
}

let calls = 0;

/** The request of the load client, as the Runtime would put it. */
const request: TypedData = {
  data: {
    $case: 'http',
    value: {
      ...RpcHttp.decode(new Uint8Array()),
      method: 'GET',
      url: 'http://127.0.0.1:7071/api/hello',
      nullableHeaders: new Map([['host', { string: { $case: 'value', value: '127.0.0.1:7071' } }]]),
    },
  },
};

async function invokeHello(host: ScriptedHost, { functionId, bindings }: RpcFunctionMetadata): Promise<void> {
  calls += 1;
  const name = bindings.keys().next().value ?? '';
  const inputData: ParameterBinding[] = [{ name, rpcData: { $case: 'data', value: request } }];
  const { result } = await host.invoke({ invocationId: `raw-${calls}`, functionId, inputData });
  if (result?.status === StatusResult_Status.Success) return;
  throw new Error(`the raw call failed: ${result?.exception?.message}`);
}
