import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll } from 'vitest';
import type { ThreadPrograms } from '../library-files.ts';

/** What `build.mjs` of this package exports; it is plain JavaScript, because the build runs it. */
interface BuildModule {
  bundleThreads(options: {
    readonly outDir: string;
    readonly names: readonly string[];
  }): Promise<Readonly<Record<string, string>>>;
  bundleEntries(options: { readonly outDir: string }): Promise<string>;
}

function loadBuild(): Promise<BuildModule> {
  return import(new URL('../../build.mjs', import.meta.url).href);
}

/**
 * The programs of threads in plain JavaScript, until the tests of the file are over. Run from the sources, every thread
 * would bring the WebAssembly that strips types, and V8 crashes now and then when threads end at that moment.
 */
export async function bundleThreads<Name extends keyof ThreadPrograms>(
  ...names: readonly Name[]
): Promise<Pick<ThreadPrograms, Name>> {
  const outDir = mkdtempSync(join(tmpdir(), 'threads-'));
  afterAll(() => rmSync(outDir, { recursive: true }));
  const paths = await (await loadBuild()).bundleThreads({ outDir, names });
  const programs = names.map((name) => [name, pathToFileURL(paths[name] ?? '')]);
  return Object.fromEntries(programs) as Pick<ThreadPrograms, Name>;
}

/** The entries of capabilities as they are published, in a folder of the test's own. */
export async function bundleEntries(outDir: string): Promise<string> {
  return (await loadBuild()).bundleEntries({ outDir });
}
