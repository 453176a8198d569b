import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { DevOptions } from '@switchyard/standalone';
import { type CommandContext, type CommandInput, defineCommand } from '../command.ts';
import { runDev } from '../run-dev.ts';

/** More apps than a developer's machine runs. */
const maxApps = 100;

const flags = {
  port: {
    kind: 'integer',
    placeholder: 'N',
    short: 'p',
    minimum: 0,
    maximum: 65_535,
    fallback: '7071, or what the only app wants',
    summary: 'listens for HTTP on this port; 0 takes any that is free (7071)',
  },
  host: {
    kind: 'text',
    placeholder: 'ADDRESS',
    fallback: '127.0.0.1',
    summary: 'listens on this address (127.0.0.1)',
  },
  'data-dir': {
    kind: 'text',
    placeholder: 'FOLDER',
    fallback: '.switchyard beside the only app, or here',
    summary: 'keeps keys and stored data here (.switchyard beside the app)',
  },
  'enable-auth': { kind: 'switch', summary: 'asks callers for the keys of functions that want one' },
  json: { kind: 'switch', summary: 'writes one JSON object per line' },
  verbose: { kind: 'switch', summary: 'shows what the host itself does' },
  inspect: {
    kind: 'integer',
    placeholder: 'N',
    minimum: 1,
    maximum: 65_535 - maxApps,
    fallback: 'no debugger',
    summary: 'opens debuggers: the first app on this port, the others on the next ones',
  },
  'no-watch': { kind: 'switch', summary: 'does not reload apps when their files change' },
  build: { kind: 'switch', summary: 'compiles TypeScript apps from the start, not only when nobody else does' },
  'no-azurite': { kind: 'switch', summary: 'starts no storage emulator, whatever the settings say' },
  'persist-storage': { kind: 'switch', summary: 'keeps what is in the storage emulator, in the data folder' },
  examples: { kind: 'switch', hidden: true, summary: 'runs every app in the folder examples' },
} as const;

/** What `dev` gets of its flags, the environment and switchyard.yaml. */
export type DevInput = CommandInput<typeof flags>;

export const devCommand = defineCommand({
  name: 'dev',
  summary: 'Runs one or many function apps on this machine, all on one port.',
  positional: {
    name: 'path',
    summary: 'folders of function apps; the current folder when left out',
    maximum: maxApps,
    setting: 'apps',
  },
  flags,
  configurable: true,
  examples: [
    'switchyard dev',
    'switchyard dev orders payments --port 8080',
    'switchyard dev --enable-auth --data-dir ../data',
  ],
  run: async (input, context) => runDev(await toOptions(input, context), context),
});

async function toOptions(input: DevInput, context: CommandContext): Promise<DevOptions> {
  const { workingDirectory } = context;
  const examples = input.flags.examples ? await foldersIn(join(workingDirectory, 'examples')) : [];
  const named = input.positionals.map((path) => resolve(workingDirectory, path));
  const directories = [...examples, ...named];
  return devOptions(input, context, directories.length === 0 ? [workingDirectory] : directories);
}

/** What was asked for, as startDev wants it. */
export function devOptions(
  { flags: given }: Pick<DevInput, 'flags'>,
  context: CommandContext,
  directories: readonly string[],
): DevOptions {
  const { workingDirectory } = context;
  return {
    directories,
    port: given.port,
    host: given.host,
    dataDirectory: given['data-dir'] === undefined ? undefined : resolve(workingDirectory, given['data-dir']),
    workingDirectory,
    enableAuth: given['enable-auth'],
    output: given.json ? 'json' : 'text',
    face: 'switchyard',
    verbose: given.verbose,
    cors: undefined,
    inspectPort: given.inspect,
    watches: !given['no-watch'],
    builds: given.build,
    startsAzurite: !given['no-azurite'],
    persistsStorage: given['persist-storage'],
    showsCurlLines: given.examples,
    environment: context.environment,
    console: context.stdout,
    errors: context.stderr,
  };
}

async function foldersIn(folder: string): Promise<string[]> {
  // Outside the repository there is no such folder; the current one is run instead.
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
}
