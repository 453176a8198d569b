/**
 * Starts the program of the worker from one bundled file, with V8's code cache beside it: compiling takes a third of the
 * time that is ours between start and connection. Node.js has a cache of its own, but one per process: that one belongs
 * to the app, whose code must not share a folder with other tenants'.
 *
 * The cache is written by the first process that may write there, and read by all; its name holds the hash of the
 * bundle and the version of Node.js, so that a stale one is never found.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { systemClock } from '@switchyard/kernel';

/** The bundle's file name, which the build fills in. */
declare const SWITCHYARD_WORKER_BUNDLE: string;

/** When the cache is written: everything that a start and a first call need has run by then. */
const settledMs = 2_000;

type Bundle = (
  exports: { main?: (importModule: (url: string) => Promise<unknown>) => void },
  require: NodeRequire,
) => void;

function launch(file: string): void {
  const cacheFile = `${file}.${process.version}-${process.arch}.cache`;
  const cachedData = readCache(cacheFile);
  const source = `(function (exports, require) {${readFileSync(file, 'utf8')}\n})`;
  const script = new Script(source, { filename: file, ...(cachedData ? { cachedData } : {}) });
  const exports: Parameters<Bundle>[0] = {};
  (script.runInThisContext() as Bundle)(exports, createRequire(file));
  if (!cachedData) writeCacheLater(script, cacheFile);
  exports.main?.((url) => import(url));
}

function readCache(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

function writeCacheLater(script: Script, file: string): void {
  let write: (() => void) | undefined = () => {
    write = undefined;
    try {
      const draft = `${file}.${process.pid}`;
      writeFileSync(draft, script.createCachedData(), { flag: 'wx' });
      renameSync(draft, file);
    } catch {
      // The folder is not ours to write, which is fine: the next start compiles again.
    }
  };
  systemClock.schedule(settledMs, () => write?.());
  process.once('exit', () => write?.());
}

launch(join(import.meta.dirname, SWITCHYARD_WORKER_BUNDLE));
