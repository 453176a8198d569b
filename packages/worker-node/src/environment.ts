/**
 * The adapter to the process's own environment: replacing it is what specialization means. The only file beside
 * `main.ts` that touches it.
 */
import * as nodeModule from 'node:module';
import { arch, chdir, env, versions } from 'node:process';

/** What the worker may know and change of its process. */
export interface Environment {
  /** The version of Node.js, without the v. */
  readonly runtimeVersion: string;
  readonly bitness: string;
  /**
   * Afterwards the process has these variables and no others. `NODE_COMPILE_CACHE` takes effect as if the process had
   * been started with it (Node.js 22.1 and later).
   */
  replace(variables: ReadonlyMap<string, string>): void;
  /** Brings the process from what its host gave it `before` to these variables. What the app has added itself stays. */
  update(before: ReadonlyMap<string, string>, variables: ReadonlyMap<string, string>): void;
  /** What the process has of these variables. */
  read(names: Iterable<string>): ReadonlyMap<string, string>;
  /** Throws what the system says when the folder is not there. */
  changeDirectory(path: string): void;
}

/**
 * The compile cache saves a fifth of the loading time of apps with large SDKs. A folder that cannot be written is no
 * error, and processes may share one; it must belong to one app, because what is in it is executed.
 */
const compileCache = nodeModule as unknown as { enableCompileCache?: (folder: string) => unknown };

export const processEnvironment: Environment = {
  runtimeVersion: versions.node,
  bitness: arch,
  replace(variables) {
    for (const name of Object.keys(env)) delete env[name];
    for (const [name, value] of variables) if (name !== '') env[name] = value;
    const folder = variables.get('NODE_COMPILE_CACHE');
    if (folder) compileCache.enableCompileCache?.(folder);
  },
  update(before, variables) {
    for (const name of before.keys()) if (!variables.has(name)) delete env[name];
    for (const [name, value] of variables) if (name !== '' && before.get(name) !== value) env[name] = value;
  },
  read(names) {
    const entries = [...names].map((name) => [name, env[name]] as const);
    return new Map(entries.filter((entry): entry is readonly [string, string] => entry[1] !== undefined));
  },
  changeDirectory: chdir,
};
