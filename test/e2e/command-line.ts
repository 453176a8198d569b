/**
 * Commands in a folder of their own, for end-to-end tests: `func` and `switchyard` where a user would type them, and apps
 * that find the repository's packages as if they had installed them.
 */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CommandResult, DevProcess } from './dev-process.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const bins = join(repository, 'packages', 'cli', 'bin');
const compiler = join(repository, 'node_modules', 'typescript', 'bin', 'tsc');

/** The launcher of each command. */
const launchers = { switchyard: join(bins, 'switchyard.js'), func: join(bins, 'func.js') } as const;

export type Program = keyof typeof launchers;

export interface CommandOptions {
  /** Set over the plain environment of the tests. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The program that runs the launcher; the Node of the tests when left out. */
  readonly node?: string;
}

/** Starts a command in a folder; the caller closes it. */
export function startCommand(
  program: Program,
  folder: string,
  words: readonly string[],
  { environment = {}, node }: CommandOptions = {},
): DevProcess {
  return new DevProcess(words, environment, node, undefined, { folder, launcher: launchers[program] });
}

/** Runs a command in a folder until it ends by itself. */
export async function runCommand(
  program: Program,
  folder: string,
  words: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const command = startCommand(program, folder, words, options);
  try {
    const end = await command.exited();
    return { ...end, output: command.output };
  } finally {
    await command.close();
  }
}

/** A folder below the repository, in a place that git does not see. */
export interface AppFolder {
  readonly path: string;
  /** Writes files by their paths; a value that is no text is written as JSON. */
  write(files: Readonly<Record<string, unknown>>): Promise<void>;
  read(path: string): Promise<string>;
  /** Does what `npm run build` does in a TypeScript app. Throws with the compiler's messages. */
  build(app: string): void;
  remove(): Promise<void>;
}

/** Makes a folder for apps; the caller removes it. */
export async function openAppFolder(): Promise<AppFolder> {
  const parent = join(repository, '.switchyard');
  await mkdir(parent, { recursive: true });
  const path = await mkdtemp(join(parent, 'e2e-'));
  return {
    path,
    async write(files) {
      for (const [name, content] of Object.entries(files)) {
        await mkdir(dirname(join(path, name)), { recursive: true });
        await writeFile(join(path, name), typeof content === 'string' ? content : JSON.stringify(content));
      }
    },
    read: (name) => readFile(join(path, name), 'utf8'),
    build(app) {
      const run = spawnSync(process.execPath, [compiler, '-p', join(path, app)], { encoding: 'utf8' });
      if (run.status !== 0) throw new Error(`The app does not compile:\n${run.stdout}${run.stderr}`);
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}
