import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '@switchyard/kernel';
import { libraryErrors } from '../errors.ts';

/** A model that there is; the file is read when it is first used, and only when its digest is right. */
export interface ModelDescription {
  readonly name: string;
  readonly path: string;
  readonly sha256: string;
  /** The output that `classify` reads. */
  readonly output: string;
  /** What the places of that output mean; empty when they mean nothing. */
  readonly labels: readonly string[];
  /** How a text becomes the input, for models of text. */
  readonly text: { readonly ngramSize: number; readonly buckets: number; readonly input: string } | undefined;
}

/** Reads the descriptions of a folder, `<name>.json` beside each model. Fails with CAPABILITY_CONFIG_INVALID. */
export function readModels(capability: string, folder: string): ReadonlyMap<string, ModelDescription> {
  const refuse = (reason: string, cause?: unknown): never => {
    throw libraryErrors.create('CAPABILITY_CONFIG_INVALID', { name: capability, reason }, cause);
  };
  const read = (): string[] => {
    try {
      return readdirSync(folder);
    } catch (error) {
      return refuse(`the folder of models cannot be read: ${messageOf(error)}`, error);
    }
  };
  const names = read().filter((name) => name.endsWith('.json'));
  const models = names.map((name) => {
    const content: Readonly<Record<string, unknown>> = JSON.parse(readFileSync(join(folder, name), 'utf8'));
    return parseModel(content, folder) ?? refuse(`'${name}' describes no model`);
  });
  return new Map(models.map((model) => [model.name, model]));
}

function parseModel(content: Readonly<Record<string, unknown>>, folder: string): ModelDescription | undefined {
  const { name, file, sha256, output, labels = [], text } = content;
  if (typeof name !== 'string' || typeof file !== 'string' || !/^[\w.-]+$/.test(file)) return undefined;
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256) || typeof output !== 'string') return undefined;
  if (!Array.isArray(labels) || !labels.every((label) => typeof label === 'string')) return undefined;
  return { name, path: join(folder, file), sha256, output, labels, text: parseText(text) };
}

function parseText(text: unknown): ModelDescription['text'] {
  if (typeof text !== 'object' || text === null) return undefined;
  const { ngramSize, buckets, input } = text as Readonly<Record<string, unknown>>;
  if (typeof ngramSize !== 'number' || typeof buckets !== 'number' || typeof input !== 'string') return undefined;
  return { ngramSize, buckets, input };
}
