import { join, resolve } from 'node:path';
import { isApplicationId, isTenantId } from '@switchyard/model';
import type { AssignedWorkers, AssignOptions } from '@switchyard/standalone/assign';
import { type CommandContext, type CommandInput, defineCommand } from '../command.ts';
import { parseStack } from '../control/find-stack.ts';
import { platformFolder } from '../control/platform-folder.ts';
import { count } from '../control/table.ts';
import { cliErrors } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';

const url = { kind: 'text', placeholder: 'URL' } as const;
const version = { kind: 'text', placeholder: 'VERSION' } as const;

const flags = {
  sidecar: {
    kind: 'list',
    placeholder: 'URL',
    summary: 'a sidecar, where it answers for health; given for each of them',
  },
  runtime: { ...url, summary: 'where the Runtime of the app takes workers (the one that its workers hang on)' },
  count: {
    kind: 'integer',
    placeholder: 'N',
    minimum: 1,
    maximum: 1_000,
    fallback: '1',
    summary: 'gives it so many workers (1)',
  },
  'script-root': { kind: 'text', placeholder: 'FOLDER', summary: "the app's folder, as its workers see it" },
  package: { ...url, summary: 'a package with the app, which sidecars fetch, instead of a folder' },
  sha256: { kind: 'text', placeholder: 'HEX', summary: 'the hash of that package' },
  'settings-from': {
    kind: 'text',
    placeholder: 'FILE',
    summary: 'takes the settings of the app from a file like local.settings.json',
  },
  tenant: { kind: 'text', placeholder: 'ID', fallback: 'default', summary: 'the tenant of the app (default)' },
  'metadata-version': { ...version, fallback: '1.0.0', summary: 'the metadata version of the app (1.0.0)' },
  'code-version': { ...version, fallback: '1.0.0', summary: 'the code version of the app (1.0.0)' },
  stack: { kind: 'text', placeholder: 'NAME', summary: 'what its workers are, as in node:24 (as those that it has)' },
  strict: { kind: 'switch', summary: 'takes no worker that hangs on another Runtime' },
  'max-workers': {
    kind: 'integer',
    placeholder: 'N',
    minimum: 1,
    maximum: 1_000,
    fallback: '20',
    summary: 'leaves no Runtime with more workers (20)',
  },
  keys: {
    kind: 'text',
    placeholder: 'FOLDER',
    fallback: 'keys in .switchyard in the home folder',
    summary: 'signs the tokens of workers and assignments with the keys in this folder (~/.switchyard/keys)',
  },
  'sidecar-ca': {
    kind: 'text',
    placeholder: 'FILE',
    summary: 'trusts these authorities for the certificates of sidecars',
  },
  'allow-clear-tokens': { kind: 'switch', summary: 'sends tokens and settings over a network without TLS' },
  'data-dir': {
    kind: 'text',
    placeholder: 'FOLDER',
    fallback: '.switchyard in the home folder',
    summary: 'keeps here who takes which worker; SWITCHYARD_SCALE_STORE_URL names a database instead (~/.switchyard)',
  },
  json: { kind: 'switch', summary: 'writes what was done as one JSON object' },
} as const;

type AssignInput = CommandInput<typeof flags>;

export const assignCommand = defineCommand({
  name: 'assign',
  summary: 'Gives an app workers that wait: those on its Runtime first, then others, which move there.',
  positional: { name: 'app', summary: 'the app', maximum: 1, usage: '<app>' },
  flags,
  examples: [
    'switchyard assign shop --script-root /apps/shop --runtime http://127.0.0.1:50051 --sidecar http://127.0.0.1:7073 --stack node',
    'switchyard assign shop --script-root /apps/shop --count 2 --sidecar http://127.0.0.1:7073 --sidecar http://127.0.0.1:7074',
  ],
  run: async (input, context) => {
    const options = await toOptions(input, context);
    const { assignApp } = await import('@switchyard/standalone/assign');
    const result = await assignApp(options);
    const { applicationId } = options.app.application;
    context.stdout.write(input.flags.json ? `${JSON.stringify(result)}\n` : describe(applicationId, result));
    if (result.missing === 0) return exitCodes.done.code;
    context.stderr.write(`${count(result.missing, 'worker')} could not be had: ${result.reason}.\n`);
    return exitCodes.failed.code;
  },
});

async function toOptions(
  { positionals: [app], flags: given }: AssignInput,
  context: CommandContext,
): Promise<AssignOptions> {
  const { environment, workingDirectory } = context;
  if (app === undefined) throw fault('The app is missing: switchyard assign <app>');
  if (!isApplicationId(app)) throw fault(`'${app}' is no name of an app`);
  const { sidecar: sidecars = [], tenant = 'default', 'settings-from': settingsFile, stack } = given;
  if (sidecars.length === 0) throw fault('No sidecar is named: give --sidecar for each of them');
  if (!isTenantId(tenant)) throw fault(`'${tenant}' is no name of a tenant`);
  const at = (path: string | undefined, fallback: string) =>
    path === undefined ? fallback : resolve(workingDirectory, path);
  const root = given['script-root'] ?? workingDirectory;
  const { 'metadata-version': metadataVersion = '1.0.0', 'code-version': codeVersion = '1.0.0' } = given;
  return {
    app: {
      application: { applicationId: app, metadataVersion, codeVersion },
      tenantId: tenant,
      content: toContent(given),
      settings: settingsFile === undefined ? new Map() : await readSettings(settingsFile, workingDirectory, root),
    },
    count: given.count ?? 1,
    sidecarUrls: [...new Set(sidecars.map(toUrl))],
    runtimeUrl: given.runtime === undefined ? undefined : toUrl(given.runtime),
    stack: stack === undefined ? undefined : parseStack(stack),
    affinity: given.strict ? 'strict' : 'none',
    maxWorkersPerRuntime: given['max-workers'] ?? 20,
    keys: at(given.keys, join(platformFolder(undefined, context), 'keys')),
    authority: given['sidecar-ca'] && resolve(workingDirectory, given['sidecar-ca']),
    allowClearTokens: given['allow-clear-tokens'],
    dataDirectory: platformFolder(given['data-dir'], context),
    environment,
  };
}

async function readSettings(
  file: string,
  workingDirectory: string,
  root: string,
): Promise<ReadonlyMap<string, string>> {
  const { readSettingsFile } = await import('../control/settings-source.ts');
  return await readSettingsFile(file, workingDirectory, root);
}

function toContent({
  'script-root': scriptRoot,
  package: address,
  sha256,
}: AssignInput['flags']): AssignOptions['app']['content'] {
  if (scriptRoot !== undefined && address === undefined) return { kind: 'folder', scriptRoot };
  if (address === undefined || scriptRoot !== undefined) {
    throw fault('Say where the app is: --script-root FOLDER, or --package URL with --sha256 HEX');
  }
  if (sha256 === undefined || !/^[0-9a-f]{64}$/.test(sha256))
    throw fault('--package needs --sha256 with 64 digits in hexadecimal');
  return { kind: 'package', url: toUrl(address), sha256 };
}

/** Without a slash at its end, as sidecars name Runtimes. */
function toUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:/.test(text))
    throw fault(`'${text}' is no address: write it as http://host:port`);
  return text.replace(/\/$/, '');
}

function describe(app: string, { workers, runtimeUrl }: AssignedWorkers): string {
  return workers
    .map(
      ({ workerId, movedFrom }) =>
        `Worker ${workerId} serves ${app}${movedFrom === undefined ? '' : `, moved from ${movedFrom} to ${runtimeUrl}`}.\n`,
    )
    .join('');
}

const fault = (problem: string): Error => cliErrors.create('FLAG_INVALID', { problem: `${problem}.` });
