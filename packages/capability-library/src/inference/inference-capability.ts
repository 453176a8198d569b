import { isAbsolute } from 'node:path';
import type { Clock } from '@switchyard/kernel';
import type { CallContext, CapabilityInstance, CapabilityModule } from '../capability-module.ts';
import { libraryErrors } from '../errors.ts';
import { findWasmFolder, modelFolder, type ThreadPrograms, threadPrograms } from '../library-files.ts';
import { asList, asName, asNumber, asRecord, asText, fieldOf, refuseParameter } from '../parameters.ts';
import { ThreadWorker } from '../threads/thread-worker.ts';
import { WorkerSlots } from '../threads/worker-slots.ts';
import type { InferenceAnswer, InferenceRequest, ModelPort } from './inference-messages.ts';
import { type ModelDescription, readModels } from './model-catalogue.ts';
import { asTensor, type TensorData } from './tensor-data.ts';

/** One class, and how likely it is. */
export interface Classification {
  readonly label: string;
  readonly probability: number;
}

/** What `ml.inference` does, for callers in TypeScript. */
export interface Inference {
  /** The models that there are. */
  models(): PromiseLike<{ name: string; labels: readonly string[]; takesText: boolean }[]>;
  /** The inputs and outputs of a model. */
  describe(model: string): PromiseLike<{ inputs: readonly ModelPort[]; outputs: readonly ModelPort[] }>;
  /** Runs a model once: named tensors in, named tensors out. */
  run(model: string, feeds: Readonly<Record<string, TensorData>>): PromiseLike<Record<string, TensorData>>;
  /** Classes of one vector of features, most likely first. */
  classify(model: string, features: readonly number[]): PromiseLike<Classification[]>;
  /** Classes of a text, most likely first. It asks the capability `text` for the features. */
  classifyText(model: string, text: string): PromiseLike<Classification[]>;
}

const maxHeapMb = 512;
const maxWaiting = 200;
const maxTextLength = 100_000;

/** More time than this has no run; the manifest's own limit is usually shorter. */
const maxRunMs = 60_000;

export interface InferenceDeps {
  readonly clock: Clock;
  readonly programs?: Pick<ThreadPrograms, 'inference'>;
}

/**
 * `ml.inference`: ONNX models on the WebAssembly build of the ONNX runtime. It is meant for a process of its own (tier 3):
 * the runtime is large, and what it calculates cannot be interrupted but by ending its thread, which a cancelled or late
 * call does.
 *
 * Configuration: `modelFolder` holds models, each with a `<name>.json` beside it; without it, the models of this package.
 */
export function createInferenceCapability(deps: InferenceDeps): CapabilityModule {
  return {
    create({ name, config }): CapabilityInstance {
      const folder = fieldOf(config, 'modelFolder') ?? modelFolder;
      if (typeof folder !== 'string' || !isAbsolute(folder))
        throw libraryErrors.create('CAPABILITY_CONFIG_INVALID', { name, reason: 'modelFolder is no absolute path' });
      const runtime = new ModelRuntime(deps, readModels(name, folder));
      return { methods: methodsOf(runtime), dispose: () => runtime.close() };
    },
  };
}

class ModelRuntime {
  readonly models: ReadonlyMap<string, ModelDescription>;
  readonly #slots: WorkerSlots<ThreadWorker<InferenceRequest, InferenceAnswer>>;

  constructor({ clock, programs = threadPrograms }: InferenceDeps, models: ReadonlyMap<string, ModelDescription>) {
    this.models = models;
    const options = { program: programs.inference, data: { wasmFolder: findWasmFolder() }, maxHeapMb };
    const open = () => new ThreadWorker<InferenceRequest, InferenceAnswer>({ clock }, options);
    this.#slots = new WorkerSlots(open, { size: 1, maxWaiting });
  }

  find(value: unknown): ModelDescription {
    const model = asName(value, 'The model');
    const found = this.models.get(model);
    if (found !== undefined) return found;
    throw libraryErrors.create('MODEL_UNKNOWN', { model, models: [...this.models.keys()].join(', ') || 'none' });
  }

  async ask(call: CallContext, model: ModelDescription, feeds: InferenceRequest['feeds']): Promise<InferenceAnswer> {
    const { path, sha256, name } = model;
    const answer = await this.#slots.use(call.signal, (thread) =>
      thread.run(
        { path, sha256, feeds },
        {
          timeoutMs: maxRunMs,
          signal: call.signal,
          late: () => libraryErrors.create('TASK_STOPPED', { task: name, reason: `it took more than ${maxRunMs} ms` }),
          lost: (reason) => libraryErrors.create('TASK_STOPPED', { task: name, reason }),
        },
      ),
    );
    if (answer.kind === 'damaged')
      throw libraryErrors.create('MODEL_DAMAGED', { model: name, actual: answer.actual, expected: sha256 });
    if (answer.kind === 'refused') return refuseParameter(`What model '${name}' was given`, answer.reason);
    return answer;
  }

  close(): Promise<void> {
    return this.#slots.close();
  }
}

function methodsOf(runtime: ModelRuntime): CapabilityInstance['methods'] {
  const run = async (call: CallContext, model: ModelDescription, feeds: Record<string, TensorData>) => {
    const answer = await runtime.ask(call, model, feeds);
    return answer.kind === 'ran' ? answer.outputs : {};
  };
  const classify = async (call: CallContext, model: ModelDescription, input: string, features: readonly number[]) => {
    const tensor: TensorData = { type: 'float32', dims: [1, features.length], data: features };
    const outputs = await run(call, model, { [input]: tensor });
    return toClasses(model, outputs[model.output]?.data ?? []);
  };
  return {
    models: () =>
      [...runtime.models.values()].map(({ name, labels, text }) => ({ name, labels, takesText: text !== undefined })),
    describe: async (call: CallContext, model: unknown) => {
      const answer = await runtime.ask(call, runtime.find(model), undefined);
      return answer.kind === 'described' ? { inputs: answer.inputs, outputs: answer.outputs } : undefined;
    },
    run: (call: CallContext, model: unknown, feeds: unknown) => {
      const entries = Object.entries(asRecord(feeds, 'The feeds'));
      const tensors = entries.map(([name, tensor]) => [name, asTensor(tensor, `Input '${name}'`)]);
      return run(call, runtime.find(model), Object.fromEntries(tensors));
    },
    classify: async (call: CallContext, name: unknown, features: unknown) => {
      const model = runtime.find(name);
      const values = asList(features, 'The features').map((value) => asNumber(value, 'A feature'));
      const answer = await runtime.ask(call, model, undefined);
      const input = answer.kind === 'described' ? answer.inputs[0]?.name : undefined;
      return classify(call, model, input ?? '', values);
    },
    classifyText: async (call: CallContext, name: unknown, value: unknown) => {
      const model = runtime.find(name);
      const text = asText(value, 'The text', maxTextLength);
      if (model.text === undefined) return refuseParameter('The text', `model '${model.name}' takes none`);
      return classify(call, model, model.text.input, await featuresOf(call, model.text, text));
    },
  };
}

/** The capability `text` knows how a text becomes numbers; this one only calculates with them. */
async function featuresOf(
  { dependencies }: CallContext,
  { ngramSize, buckets }: NonNullable<ModelDescription['text']>,
  text: string,
): Promise<readonly number[]> {
  const tools = Object.hasOwn(dependencies, 'text') ? dependencies.text : undefined;
  if (tools === undefined)
    throw libraryErrors.create('CAPABILITY_CONFIG_INVALID', {
      name: 'ml.inference',
      reason: "its manifest does not require 'text', which classifyText asks for features",
    });
  const features: unknown = await tools.invoke('ngrams', [text, ngramSize, buckets]);
  return asList(features, 'What text answered').map((value) => asNumber(value, 'A feature'));
}

function toClasses({ labels }: ModelDescription, probabilities: readonly number[]): Classification[] {
  const classes = probabilities.map((probability, index) => ({ label: labels[index] ?? String(index), probability }));
  return classes.sort((left, right) => right.probability - left.probability);
}
