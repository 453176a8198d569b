import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isPlatformError } from '@switchyard/kernel';
import { type CommandContext, type CommandInput, defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';

/** More apps than a developer's machine runs. */
const maxApps = 100;

const flags = {
  port: {
    kind: 'integer',
    placeholder: 'N',
    short: 'p',
    minimum: 0,
    maximum: 65_535,
    summary: 'listens for HTTP on this port; 0 takes any that is free (7071)',
  },
  host: { kind: 'text', placeholder: 'ADDRESS', summary: 'listens on this address (127.0.0.1)' },
  'data-dir': {
    kind: 'text',
    placeholder: 'FOLDER',
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
    summary: 'opens debuggers: the first app on this port, the others on the next ones',
  },
  'no-azurite': { kind: 'switch', summary: 'starts no storage emulator, whatever the settings say' },
  'persist-storage': { kind: 'switch', summary: 'keeps what is in the storage emulator, in the data folder' },
  examples: { kind: 'switch', hidden: true, summary: 'runs every app in the folder examples' },
} as const;

export const devCommand = defineCommand({
  name: 'dev',
  summary: 'Runs one or many function apps on this machine, all on one port.',
  positional: { name: 'path', summary: 'folders of function apps; the current folder when left out', maximum: maxApps },
  flags,
  examples: [
    'switchyard dev',
    'switchyard dev orders payments --port 8080',
    'switchyard dev --enable-auth --data-dir ../data',
  ],
  async run(input, context) {
    const stopRequested = new Promise<string>((resolveStop) => context.onStopRequest(resolveStop));
    // Everything heavy is loaded here, so that the other commands do not wait for it.
    const { startDev } = await import('@switchyard/standalone');
    const dev = await startDev(await toOptions(input, context));
    const outcome = await Promise.race([stopRequested, dev.ready]);
    if (typeof outcome === 'object' && outcome.kind === 'nothing-to-serve') return exitCodeOf(outcome.error);
    await stopRequested;
    await dev.stop();
    return exitCodes.done.code;
  },
});

function exitCodeOf(error: Error | undefined): number {
  return isPlatformError(error) ? error.definition.exit : exitCodes.failed.code;
}

async function toOptions({ positionals, flags: given }: CommandInput<typeof flags>, context: CommandContext) {
  const { workingDirectory } = context;
  const examples = given.examples ? await foldersIn(join(workingDirectory, 'examples')) : [];
  const named = positionals.map((path) => resolve(workingDirectory, path));
  const directories = [...examples, ...named];
  return {
    directories: directories.length === 0 ? [workingDirectory] : directories,
    port: given.port,
    host: given.host,
    dataDirectory: given['data-dir'] === undefined ? undefined : resolve(workingDirectory, given['data-dir']),
    workingDirectory,
    enableAuth: given['enable-auth'],
    output: given.json ? 'json' : 'text',
    verbose: given.verbose,
    inspectPort: given.inspect,
    startsAzurite: !given['no-azurite'],
    persistsStorage: given['persist-storage'],
    showsCurlLines: given.examples,
    environment: context.environment,
    console: context.stdout,
    errors: context.stderr,
  } as const;
}

async function foldersIn(folder: string): Promise<string[]> {
  // Outside the repository there is no such folder; the current one is run instead.
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
}
