import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The host program in one file of plain JavaScript, as it is published; `remove` it when the tests are over. */
export interface NodeProgram {
  readonly path: string;
  remove(): void;
}

/** What `build.mjs` of this package exports; it is plain JavaScript, because the build runs it. */
interface BuildModule {
  bundleHostProgram(options: { readonly outDir: string }): Promise<string>;
}

/**
 * Bundles the host program. Run from its sources, every thread would bring the WebAssembly that strips types, and V8
 * crashes now and then when threads end at that moment (about one in a thousand, measured with Node.js 24.21).
 */
export async function bundleNodeProgram(): Promise<NodeProgram> {
  const outDir = mkdtempSync(join(tmpdir(), 'capability-host-'));
  const build: BuildModule = await import(new URL('../../../build.mjs', import.meta.url).href);
  const path = await build.bundleHostProgram({ outDir });
  return { path, remove: () => rmSync(outDir, { recursive: true, force: true }) };
}
