import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@switchyard/kernel';
import { afterAll, afterEach, expect, test } from 'vitest';
import { makeLanguageModel } from '../../models/make-language-model.ts';
import { writeModel } from '../../models/onnx-writer.ts';
import type { CallContext, CapabilityInstance } from '../capability-module.ts';
import { modelFolder } from '../library-files.ts';
import { bundleThreads } from '../testing/bundle-threads.ts';
import { codeOf } from '../testing/code-of.ts';
import { createCall } from '../testing/create-call.ts';
import { methodsOf } from '../testing/methods-of.ts';
import { textCapability } from '../text/text-capability.ts';
import { type Classification, createInferenceCapability } from './inference-capability.ts';

const settings = { name: 'ml.inference', version: '1.0.0', shard: 's', statePath: null };
const folder = mkdtempSync(join(tmpdir(), 'models-'));
const text = methodsOf(await textCapability.create({ ...settings, config: {} }));
const dependencies: CallContext['dependencies'] = {
  text: { invoke: (method, parameters) => text(method, parameters) },
};

const programs = await bundleThreads('inference');

let instance: CapabilityInstance | undefined;

afterAll(() => rmSync(folder, { recursive: true }));

afterEach(async () => {
  await instance?.dispose?.();
  instance = undefined;
});

async function create(config: Readonly<Record<string, unknown>> = {}) {
  instance = await createInferenceCapability({ clock: systemClock, programs }).create({ ...settings, config });
  return methodsOf(instance);
}

/** Adds a model to the folder of the test. */
function addModel(name: string, content: Uint8Array, output: string): void {
  const sha256 = createHash('sha256').update(content).digest('hex');
  writeFileSync(join(folder, `${name}.onnx`), content);
  writeFileSync(join(folder, `${name}.json`), JSON.stringify({ name, file: `${name}.onnx`, sha256, output }));
}

test('the model in the repository is the one that the script makes', () => {
  const { model, description } = makeLanguageModel();
  expect(readFileSync(join(modelFolder, 'language.onnx')).equals(Buffer.from(model))).toBe(true);
  expect(readFileSync(join(modelFolder, 'language.json'), 'utf8')).toBe(description);
});

test('tells the languages of sentences that it never saw', async () => {
  const ml = await create();
  const sentences = [
    ['de', 'Die Katze schläft seit heute Morgen auf dem Sofa.'],
    ['de', 'Wir haben keine Zeit, um länger auf ihn zu warten.'],
    ['en', 'The weather was better than we had expected.'],
    ['en', 'Nobody knows where the other keys have gone.'],
    ['es', 'El perro duerme en la cocina desde esta mañana.'],
    ['es', 'Nadie sabe dónde están las otras llaves.'],
    ['fr', 'Le chat dort sur le canapé depuis ce matin.'],
    ['fr', 'Personne ne sait où sont les autres clés.'],
    ['it', 'Il gatto dorme sul divano da questa mattina.'],
    ['it', 'Nessuno sa dove sono le altre chiavi.'],
  ];
  for (const [language, sentence] of sentences) {
    const classes = (await ml('classifyText', ['language', sentence], { dependencies })) as Classification[];
    expect([sentence, classes[0]?.label]).toEqual([sentence, language]);
    const total = classes.reduce((sum, { probability }) => sum + probability, 0);
    expect(total).toBeCloseTo(1, 4);
  }
});

test('describes models, and runs them with named tensors', async () => {
  const ml = await create();
  expect(await ml('models')).toEqual([{ name: 'language', labels: ['de', 'en', 'es', 'fr', 'it'], takesText: true }]);
  expect(await ml('describe', ['language'])).toEqual({
    inputs: [{ name: 'ngrams', type: 'float32', shape: ['batch', 512] }],
    outputs: [{ name: 'probabilities', type: 'float32', shape: ['batch', 5] }],
  });
  const feeds = { ngrams: { type: 'float32', dims: [3, 512], data: new Array(3 * 512).fill(0) } };
  const outputs = (await ml('run', ['language', feeds])) as Record<string, { dims: number[] }>;
  expect(outputs.probabilities?.dims).toEqual([3, 5]);
  expect(await ml('classify', ['language', new Array(512).fill(0)])).toHaveLength(5);
});

test('runs a model that the writer wrote, and calculates right', async () => {
  const model = writeModel({
    name: 'line',
    inputs: [{ name: 'x', shape: ['n', 2] }],
    outputs: [{ name: 'y', shape: ['n', 1] }],
    constants: [
      { name: 'w', shape: [2, 1], values: [3, -1] },
      { name: 'b', shape: [1], values: [0.5] },
    ],
    operations: [{ type: 'Gemm', inputs: ['x', 'w', 'b'], outputs: ['y'] }],
  });
  addModel('line', model, 'y');
  const ml = await create({ modelFolder: folder });
  const feeds = { x: { dims: [2, 2], data: [1, 2, 10, 0] } };
  expect(await ml('run', ['line', feeds])).toEqual({ y: { type: 'float32', dims: [2, 1], data: [1.5, 30.5] } });
});

test('refuses what a model cannot take, and goes on', async () => {
  const ml = await create();
  const bad = [
    { nothing: { dims: [1], data: [1] } },
    { ngrams: { dims: [1, 3], data: [1, 2, 3] } },
    { ngrams: { dims: [2], data: [1] } },
    { ngrams: { dims: [1], data: ['x'] } },
    { ngrams: { type: 'uint8', dims: [1], data: [256] } },
    { ngrams: { type: 'float16', dims: [1], data: [1] } },
    { ngrams: { dims: [1e9], data: [] } },
    {},
  ];
  for (const feeds of bad) expect(await codeOf(() => ml('run', ['language', feeds]))).toBe('PARAMETER_INVALID');
  expect(await codeOf(() => ml('run', ['none', {}]))).toBe('MODEL_UNKNOWN');
  expect(await codeOf(() => ml('classifyText', ['language', 'x']))).toBe('CAPABILITY_CONFIG_INVALID');
  expect(await ml('classify', ['language', new Array(512).fill(0)])).toHaveLength(5);
});

test('a model whose file was changed is not run', async () => {
  for (const name of ['language.onnx', 'language.json']) copyFileSync(join(modelFolder, name), join(folder, name));
  const changed = readFileSync(join(folder, 'language.onnx'));
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  writeFileSync(join(folder, 'language.onnx'), changed);
  const ml = await create({ modelFolder: folder });
  expect(await codeOf(() => ml('describe', ['language']))).toBe('MODEL_DAMAGED');
  expect(await codeOf(() => create({ modelFolder: join(folder, 'none') }))).toBe('CAPABILITY_CONFIG_INVALID');
  expect(await codeOf(() => create({ modelFolder: 'relative' }))).toBe('CAPABILITY_CONFIG_INVALID');
});

test('a file that is no model is named', async () => {
  addModel('rubbish', Buffer.from('this is no model'), 'y');
  const ml = await create({ modelFolder: folder });
  expect(await codeOf(() => ml('describe', ['rubbish']))).toBe('PARAMETER_INVALID');
});

test('a call that is cancelled is given up, and the next one works', async () => {
  const ml = await create();
  const controller = new AbortController();
  const { signal } = createCall({ signal: controller.signal });
  const running = ml('describe', ['language'], { signal });
  controller.abort(new Error('released'));
  await expect(running).rejects.toThrow('released');
  expect(await ml('classify', ['language', new Array(512).fill(0)])).toHaveLength(5);
});
