import { spawn } from 'node:child_process';
import { readManifest, scriptOf } from './check-built.ts';
import { packingErrors } from './errors.ts';

const buildWords = ['run', 'build'];

export interface BuildOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Gets what the build prints, as it comes. */
  readonly print: (text: string) => void;
  readonly signal?: AbortSignal;
  /** The program that knows the scripts of package.json. */
  readonly program?: string;
}

/**
 * Runs the script "build" of an app. Rejects with PACK_NO_BUILD_SCRIPT or PACK_BUILD_FAILED, or with the signal's reason
 * when that aborts: the build is told to end.
 */
export async function buildApp(directory: string, options: BuildOptions): Promise<void> {
  if (scriptOf(await readManifest(directory), 'build') === undefined)
    throw packingErrors.create('PACK_NO_BUILD_SCRIPT', { path: directory });
  const { program = 'npm' } = options;
  const outcome = await runToEnd(program, directory, options);
  if (options.signal?.aborted) throw options.signal.reason;
  const command = [program, ...buildWords].join(' ');
  if (outcome !== undefined) throw packingErrors.create('PACK_BUILD_FAILED', { path: directory, command, outcome });
}

/** How the program ended, in words; undefined when all went well. */
function runToEnd(
  program: string,
  directory: string,
  { environment, print, signal }: BuildOptions,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(program, buildWords, {
      cwd: directory,
      env: { ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(signal === undefined ? {} : { signal }),
    });
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', print);
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, killedBy) => resolve(code === 0 ? undefined : `exit code ${code ?? killedBy}`));
  });
}
