/**
 * Files of this package that are opened by path or started as threads, in one place: `build.mjs` puts another module
 * here, in which thread programs are part of the code, so that a bundled capability is one file.
 */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sourceExtension } from './source-extension.ts';

/** The programs of threads, by what they do. */
export interface ThreadPrograms {
  readonly sqlite: URL;
  readonly inference: URL;
  readonly compute: URL;
  readonly background: URL;
}

export const threadPrograms: ThreadPrograms = {
  sqlite: new URL(`./data/sqlite/sqlite-thread${sourceExtension}`, import.meta.url),
  inference: new URL(`./inference/main${sourceExtension}`, import.meta.url),
  compute: new URL(`./compute/main${sourceExtension}`, import.meta.url),
  background: new URL(`./background/main${sourceExtension}`, import.meta.url),
};

/** The models that come with this package. */
export const modelFolder = fileURLToPath(new URL('../models', import.meta.url));

/** Where the WebAssembly of the ONNX runtime stands. */
export function findWasmFolder(): string {
  return dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
}
