import { resolve } from 'node:path';
import type { DevOptions } from '@switchyard/standalone';
import type { CommandContext, FlagValue } from '../command.ts';
import { devCommand, devOptions } from '../commands/dev.ts';
import { cliErrors } from '../errors.ts';
import { readValue } from '../read-value.ts';
import { commands } from '../registry.ts';
import { runDev } from '../run-dev.ts';
import { resolveInput } from '../settings/resolve-settings.ts';
import { coreToolsVersion } from './core-tools-version.ts';
import { commonFlags, type FuncInput, type FuncVerb, isOn, languageFlags, textOf } from './func-verb.ts';
import { startEnvironment } from './start-environment.ts';

/** Runs the app of the folder, with the flags and the console of the official tools. */
export const startVerb: FuncVerb = {
  names: ['start', 'host start'],
  summary: 'Runs the function app of this folder.',
  flags: {
    port: { short: 'p', takes: 'value', placeholder: 'N', summary: "listens on this port (7071, or the app's own)" },
    cors: { takes: 'value', placeholder: 'ORIGINS', summary: 'lets pages of these origins call, with commas between' },
    'cors-credentials': { takes: 'nothing', summary: 'lets those pages send cookies' },
    functions: { takes: 'list', placeholder: 'NAME ...', summary: 'runs these functions only' },
    'language-worker': { takes: 'raw', placeholder: '"ARGUMENTS"', summary: 'gives the language worker arguments' },
    enableAuth: { takes: 'nothing', summary: 'asks callers for the keys of functions that want one' },
    'user-log-level': { takes: 'value', placeholder: 'LEVEL', summary: 'shows lines of functions from this level on' },
    'no-build': { takes: 'nothing', summary: 'builds no .NET project, which is so anyway' },
    ...commonFlags,
    ...languageFlags(),
    useHttps: { takes: 'nothing', summary: 'is not supported' },
    cert: { takes: 'value', placeholder: 'FILE', ignored: true, summary: 'belongs to --useHttps' },
    password: { takes: 'value', placeholder: 'TEXT', ignored: true, summary: 'belongs to --useHttps' },
    timeout: { short: 't', takes: 'value', placeholder: 'SECONDS', ignored: true, summary: 'limits the start' },
    runtime: { takes: 'value', placeholder: 'NAME', ignored: true, summary: 'chooses a .NET host' },
    'dotnet-isolated-debug': { takes: 'nothing', ignored: true, summary: 'waits for a .NET debugger' },
    'enable-json-output': { takes: 'nothing', ignored: true, summary: 'asks .NET workers for JSON lines' },
    'json-output-file': { takes: 'value', placeholder: 'FILE', ignored: true, summary: 'takes those lines' },
  },
  async run(input, context) {
    if (isOn(input, 'useHttps')) throw cliErrors.create('HTTPS_UNSUPPORTED');
    const options = await startOptions(input, context);
    if (options.output === 'text') context.stdout.write(banner());
    return runDev(options, context);
  },
};

/** The lines that scripts read the versions from. */
function banner(): string {
  return [
    '',
    'Switchyard, in the place of the Azure Functions Core Tools',
    `Core Tools Version:       ${coreToolsVersion}`,
    `Function Runtime Version: ${coreToolsVersion}`,
    '',
    '',
  ].join('\n');
}

/** The same options as those of `switchyard dev`, from other flags. */
export async function startOptions(input: FuncInput, context: CommandContext): Promise<DevOptions> {
  const root = textOf(input, 'script-root') ?? textOf(input, 'prefix');
  const workingDirectory = resolve(context.workingDirectory, root ?? '.');
  const environment = startEnvironment(input, context.environment);
  const inFolder = { ...context, workingDirectory, environment };
  const resolved = await resolveInput(devCommand, { positionals: [], given: devFlags(input) }, inFolder, commands);
  const credentials = input.given.get('cors-credentials');
  return {
    ...devOptions(resolved, inFolder, [workingDirectory]),
    face: 'core-tools',
    cors: {
      origins: originsOf(textOf(input, 'cors')),
      credentials: typeof credentials === 'boolean' ? credentials : undefined,
    },
  };
}

function devFlags(input: FuncInput): ReadonlyMap<string, FlagValue> {
  const flags = new Map<string, FlagValue>();
  const port = textOf(input, 'port');
  if (port !== undefined) {
    const reading = readValue('--port', devCommand.flags.port, port);
    if (reading.kind === 'wrong') throw cliErrors.create('FLAG_INVALID', { problem: reading.message });
    flags.set('port', reading.value);
  }
  const switches = { verbose: 'verbose', enableAuth: 'enable-auth' } as const;
  for (const [name, flag] of Object.entries(switches)) {
    const value = input.given.get(name);
    if (typeof value === 'boolean') flags.set(flag, value);
  }
  return flags;
}

/** Browsers send origins without a slash at the end. */
function originsOf(text: string | undefined): readonly string[] | undefined {
  return text
    ?.split(',')
    .map((origin) => origin.trim().replace(/\/+$/, ''))
    .filter((origin) => origin !== '');
}
