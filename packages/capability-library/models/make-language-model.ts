/**
 * Makes `language.onnx`, a model that tells five languages apart, and `language.json`, which describes it.
 *
 *     node packages/capability-library/models/make-language-model.ts
 *
 * It learns a softmax regression on hashed character trigrams by plain gradient descent, always in the same order and
 * from zero; weights are rounded to a grid, so every machine writes the same bytes.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ngramVector } from '../src/text/tokenise.ts';
import { languageSentences } from './language-sentences.ts';
import { writeModel } from './onnx-writer.ts';

const ngramSize = 3;
const buckets = 512;
const rounds = 300;
const rate = 40;
/** Weights are multiples of this. */
const grid = 1 / 64;

/** Both files. */
export function makeLanguageModel(): { readonly model: Uint8Array; readonly description: string } {
  const labels = Object.keys(languageSentences).sort();
  const samples = labels.flatMap((label, index) =>
    (languageSentences[label] ?? []).map((sentence) => ({ vector: ngramVector(sentence, ngramSize, buckets), index })),
  );
  const { weights, bias } = learn(samples, labels.length);
  const model = writeModel({
    name: 'language',
    inputs: [{ name: 'ngrams', shape: ['batch', buckets] }],
    outputs: [{ name: 'probabilities', shape: ['batch', labels.length] }],
    constants: [
      { name: 'weights', shape: [buckets, labels.length], values: weights },
      { name: 'bias', shape: [labels.length], values: bias },
    ],
    operations: [
      { type: 'Gemm', inputs: ['ngrams', 'weights', 'bias'], outputs: ['scores'] },
      { type: 'Softmax', inputs: ['scores'], outputs: ['probabilities'], attributes: { axis: 1 } },
    ],
  });
  const sha256 = createHash('sha256').update(model).digest('hex');
  const text = { ngramSize, buckets, input: 'ngrams' };
  const description = { name: 'language', file: 'language.onnx', sha256, output: 'probabilities', labels, text };
  // The list of labels on one line, as the formatter of this repository has it.
  const lines = JSON.stringify(description, null, 2).replace(/\[[^\]]*\]/, `["${labels.join('", "')}"]`);
  return { model, description: `${lines}\n` };
}

function learn(
  samples: readonly { readonly vector: readonly number[]; readonly index: number }[],
  classes: number,
): { readonly weights: number[]; readonly bias: number[] } {
  const weights = new Array<number>(buckets * classes).fill(0);
  const bias = new Array<number>(classes).fill(0);
  for (let round = 0; round < rounds; round += 1)
    for (const { vector, index } of samples) {
      const errors = probabilities(vector, weights, bias).map((value, label) => value - (label === index ? 1 : 0));
      errors.forEach((error, label) => {
        bias[label] = (bias[label] ?? 0) - (rate / 100) * error;
        vector.forEach((feature, bucket) => {
          if (feature === 0) return;
          const place = bucket * classes + label;
          weights[place] = (weights[place] ?? 0) - rate * error * feature;
        });
      });
    }
  const toGrid = (value: number): number => Math.round(value / grid) * grid;
  return { weights: weights.map(toGrid), bias: bias.map(toGrid) };
}

function probabilities(vector: readonly number[], weights: readonly number[], bias: readonly number[]): number[] {
  const scores = bias.map((start, label) =>
    vector.reduce(
      (sum, feature, bucket) => (feature === 0 ? sum : sum + feature * (weights[bucket * bias.length + label] ?? 0)),
      start,
    ),
  );
  const most = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - most));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { model, description } = makeLanguageModel();
  writeFileSync(new URL('language.onnx', import.meta.url), model);
  writeFileSync(new URL('language.json', import.meta.url), description);
}
