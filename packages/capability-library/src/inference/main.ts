/**
 * The program of the inference thread: the ONNX runtime, compiled to WebAssembly. It reads a model when it is first used,
 * after checking its digest, and keeps the ones used last.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { env, InferenceSession, Tensor } from 'onnxruntime-web';
import type { InferenceAnswer, InferenceRequest, ModelPort } from './inference-messages.ts';
import { maxTensorValues, type TensorData, tensorTypes } from './tensor-data.ts';

/** More models than this are not kept at once. */
const maxModels = 8;

const { wasmFolder }: { readonly wasmFolder: string } = workerData;

env.wasm.wasmPaths = `${pathToFileURL(wasmFolder).href}/`;
env.wasm.numThreads = 1;
env.logLevel = 'error';

const sessions = new Map<string, Promise<InferenceSession>>();

parentPort?.on('message', (request: InferenceRequest | 'close') => {
  if (request === 'close') {
    process.exit(0);
  }
  void answer(request).then((result) => parentPort?.postMessage(result));
});

async function answer(request: InferenceRequest): Promise<InferenceAnswer> {
  try {
    const content = await openModel(request);
    if (typeof content === 'string') return { kind: 'damaged', actual: content };
    return request.feeds === undefined ? describeModel(content) : await run(content, request.feeds);
  } catch (error) {
    return { kind: 'refused', reason: error instanceof Error ? error.message : String(error) };
  }
}

/** The session, or the digest that the file really has. */
async function openModel({ path, sha256 }: InferenceRequest): Promise<InferenceSession | string> {
  const known = sessions.get(sha256);
  if (known !== undefined) {
    sessions.delete(sha256);
    sessions.set(sha256, known);
    return await known;
  }
  const content = await readFile(path);
  const actual = createHash('sha256').update(content).digest('hex');
  if (actual !== sha256) return actual;
  const opening = InferenceSession.create(content, { executionProviders: ['wasm'] });
  sessions.set(sha256, opening);
  const [oldest] = sessions;
  if (sessions.size > maxModels && oldest !== undefined) {
    sessions.delete(oldest[0]);
    await (await oldest[1]).release();
  }
  return await opening;
}

function describeModel({ inputMetadata, outputMetadata }: InferenceSession): InferenceAnswer {
  const ports = (all: typeof inputMetadata): ModelPort[] =>
    all.map((port) => ({
      name: port.name,
      type: port.isTensor ? port.type : 'other',
      shape: port.isTensor ? [...port.shape] : [],
    }));
  return { kind: 'described', inputs: ports(inputMetadata), outputs: ports(outputMetadata) };
}

async function run(session: InferenceSession, feeds: Readonly<Record<string, TensorData>>): Promise<InferenceAnswer> {
  const inputs: Record<string, Tensor> = {};
  for (const [name, feed] of Object.entries(feeds)) {
    if (!session.inputNames.includes(name))
      return { kind: 'refused', reason: `it has no input '${name}'; it has ${session.inputNames.join(', ')}` };
    inputs[name] = toTensor(feed);
  }
  const startMs = performance.now();
  const results = await session.run(inputs);
  const runMs = performance.now() - startMs;
  const outputs: Record<string, TensorData> = {};
  for (const [name, result] of Object.entries(results)) outputs[name] = fromTensor(result, name);
  return { kind: 'ran', outputs, runMs };
}

function toTensor({ type, dims, data }: TensorData): Tensor {
  switch (type) {
    case 'float32':
      return new Tensor('float32', Float32Array.from(data), dims);
    case 'int32':
      return new Tensor('int32', Int32Array.from(data), dims);
    case 'int64':
      return new Tensor('int64', BigInt64Array.from(data.map(BigInt)), dims);
    case 'uint8':
      return new Tensor('uint8', Uint8Array.from(data), dims);
  }
}

function fromTensor(tensor: Tensor, name: string): TensorData {
  const type = tensorTypes.find((one) => one === tensor.type);
  if (type === undefined) throw new Error(`output '${name}' is ${tensor.type}, which is not handed out`);
  if (tensor.size > maxTensorValues) throw new Error(`output '${name}' has more than ${maxTensorValues} values`);
  return { type, dims: [...tensor.dims], data: Array.from(tensor.data as ArrayLike<number | bigint>, Number) };
}
