import { homedir, hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { Secret, systemRandom } from '@switchyard/kernel';
import type { JoinOptions, RuntimeProcessOptions } from '@switchyard/standalone/runtime';
import { type CommandContext, type CommandInput, defineCommand } from '../command.ts';
import { cliErrors } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { choose } from '../scaffold/choices.ts';

const port = { kind: 'integer', placeholder: 'N', minimum: 0, maximum: 65_535 } as const;
const file = { kind: 'text', placeholder: 'FILE' } as const;

const flags = {
  port: {
    ...port,
    short: 'p',
    fallback: '7071',
    summary: 'listens for calls of the apps on this port; 0 takes any (7071)',
  },
  host: {
    kind: 'text',
    placeholder: 'ADDRESS',
    fallback: '127.0.0.1',
    summary: 'listens for calls of the apps on this address (127.0.0.1)',
  },
  'rpc-port': { ...port, fallback: '50051', summary: 'listens for sidecars and workers on this port (50051)' },
  'rpc-host': {
    kind: 'text',
    placeholder: 'ADDRESS',
    fallback: '127.0.0.1',
    summary: 'listens for sidecars and workers on this address (127.0.0.1)',
  },
  'control-port': {
    ...port,
    fallback: '7072',
    summary: 'answers for health, status and restarts of workers on this port of this machine (7072)',
  },
  'data-dir': {
    kind: 'text',
    placeholder: 'FOLDER',
    fallback: '.switchyard/runtime in the home folder',
    summary: 'keeps timer states and function keys here (~/.switchyard/runtime)',
  },
  keys: {
    kind: 'text',
    placeholder: 'SOURCE',
    summary: 'takes the tokens that these public keys verify: a file, or the address of a jwks.json',
  },
  'signing-keys': {
    kind: 'text',
    placeholder: 'FOLDER',
    summary: 'instead of --keys: takes the tokens that these keys sign, and gives workers new ones in time',
  },
  'no-tokens': { kind: 'switch', summary: 'lets in every worker that reaches the port, whatever it says of itself' },
  'allow-clear-tokens': { kind: 'switch', summary: 'lets tokens and keys come over a network without TLS' },
  'tls-certificate': { ...file, summary: 'shows this certificate to sidecars and workers' },
  'tls-key': { ...file, summary: 'the key of that certificate' },
  'tls-client-ca': { ...file, summary: 'the authorities of certificates that sidecars show' },
  'client-certificate': {
    kind: 'text',
    placeholder: 'RULE',
    fallback: 'ignored',
    summary: "what a sidecar's certificate must be: ignored, required, or instance, its token's (ignored)",
  },
  'worker-network': {
    kind: 'list',
    placeholder: 'NETWORK',
    summary: 'streams HTTP to sidecars here, too: an address, 10.0.0.0/8 or a host; may be given many times',
  },
  'worker-ca': { ...file, summary: 'the authorities of the certificates that those sidecars show' },
  'worker-tls-name': {
    kind: 'text',
    placeholder: 'NAME',
    summary: 'the name that all of these certificates have, where that is not their address',
  },
  'no-function-keys': { kind: 'switch', summary: 'lets callers in without the keys that functions ask for' },
  'host-name': {
    kind: 'list',
    placeholder: 'APP=NAME',
    summary: 'gives an app a name beside <app>.localhost; may be given many times',
  },
  'shared-folders': {
    kind: 'switch',
    summary: 'the folders of the apps are at the same place here, so function.json files can be read',
  },
  'busy-percent': {
    kind: 'integer',
    placeholder: 'N',
    minimum: 5,
    maximum: 100,
    fallback: '50',
    summary: "lets the busiest tenants fill this part of the Runtime's time while others are at work, too (50)",
  },
  join: {
    kind: 'text',
    placeholder: 'URL',
    summary: 'joins the installation whose port for workers this is; SWITCHYARD_JOIN_TOKEN holds the token',
  },
  'join-ca': { ...file, summary: 'the authorities of the certificate that the installation shows' },
  name: {
    kind: 'text',
    placeholder: 'NAME',
    summary: 'how it is called in the installation (the name of this machine)',
  },
  instance: { kind: 'text', placeholder: 'ID', summary: 'tells the starts of a Runtime apart; made up unless given' },
  region: { kind: 'text', placeholder: 'NAME', summary: 'the region of this Runtime; apps may ask for one' },
  'advertised-host': {
    kind: 'text',
    placeholder: 'ADDRESS',
    summary: 'the address at which the installation and its workers reach this machine',
  },
  'max-workers': {
    kind: 'integer',
    placeholder: 'N',
    minimum: 1,
    maximum: 1_000,
    fallback: '20',
    summary: 'takes so many workers from the installation, of all apps together (20)',
  },
  'max-apps': {
    kind: 'integer',
    placeholder: 'N',
    minimum: 1,
    maximum: 1_000_000,
    fallback: '1000',
    summary: 'takes so many apps from the installation (1000)',
  },
  json: { kind: 'switch', summary: 'writes one JSON object per line' },
  verbose: { kind: 'switch', summary: 'shows what the host itself does' },
} as const;

type RuntimeInput = CommandInput<typeof flags>;

const rules = { ignored: ['ignored'], required: ['required'], instance: ['instance'] } as const;

export const runtimeCommand = defineCommand({
  name: 'runtime',
  summary: 'Runs a Runtime without workers of its own; sidecars bring them, and their apps.',
  flags,
  configurable: true,
  examples: [
    'switchyard runtime --keys jwks.json',
    'switchyard runtime --join http://127.0.0.1:50051 --region north',
    'switchyard runtime --rpc-host 0.0.0.0 --tls-certificate tls.crt --tls-key tls.key --keys https://control/.well-known/jwks.json',
  ],
  run: async (input, context) => {
    const options = toOptions(input, context);
    const stopRequested = new Promise<string>((resolve) => context.onStopRequest(resolve));
    // Everything heavy is loaded here, so that the other commands do not wait for it.
    const { startMember, startRuntime } = await import('@switchyard/standalone/runtime');
    const join = toJoin(input, context);
    const runtime = join === undefined ? await startRuntime(options) : await startMember(options, join);
    await stopRequested;
    await runtime.stop();
    return exitCodes.done.code;
  },
});

function toOptions({ flags: given }: RuntimeInput, context: CommandContext): RuntimeProcessOptions {
  const at = (path: string | undefined): string | undefined =>
    path === undefined ? undefined : resolve(context.workingDirectory, path);
  const { keys } = given;
  return {
    port: given.port,
    host: given.host,
    rpcPort: given['rpc-port'],
    rpcHost: given['rpc-host'],
    controlPort: given['control-port'],
    dataDirectory: at(given['data-dir']) ?? join(context.environment.HOME || homedir(), '.switchyard', 'runtime'),
    keys: keys === undefined || /^https?:/i.test(keys) ? keys : at(keys),
    signingKeys: at(given['signing-keys']),
    checksTokens: !given['no-tokens'],
    allowClearTokens: given['allow-clear-tokens'],
    tls: {
      certificate: at(given['tls-certificate']),
      key: at(given['tls-key']),
      authority: at(given['tls-client-ca']),
    },
    workerNetworks: given['worker-network'] ?? [],
    workerAuthority: at(given['worker-ca']),
    workerTlsName: given['worker-tls-name'],
    clientCertificate: choose<keyof typeof rules>('rule', given['client-certificate'] ?? 'ignored', rules),
    usesFunctionKeys: !given['no-function-keys'],
    hostNames: readHostNames(given['host-name'] ?? []),
    readsFolders: given['shared-folders'],
    busyPercent: given['busy-percent'],
    output: given.json ? 'json' : 'text',
    verbose: given.verbose,
    environment: context.environment,
    console: context.stdout,
  };
}

/** A name that the installation takes, made of the machine's. */
const ownName = (): string =>
  hostname()
    .toLowerCase()
    .replace(/[^a-z0-9-]/g, '-')
    .replace(/^-+/, '')
    .slice(0, maxNameLength) || 'runtime';

const maxNameLength = 40;

function toJoin(
  { flags: given }: RuntimeInput,
  { workingDirectory, environment }: CommandContext,
): JoinOptions | undefined {
  const { join: url } = given;
  if (url === undefined) return undefined;
  const authority = given['join-ca'];
  return {
    url,
    token: new Secret(environment.SWITCHYARD_JOIN_TOKEN ?? ''),
    authority: authority === undefined ? undefined : resolve(workingDirectory, authority),
    name: given.name ?? ownName(),
    instanceId: given.instance ?? systemRandom.uuid(),
    region: given.region,
    maxWorkers: given['max-workers'] ?? defaultWorkers,
    maxApplications: given['max-apps'] ?? defaultApplications,
    advertisedHost: given['advertised-host'],
  };
}

const defaultWorkers = 20;
const defaultApplications = 1_000;

function readHostNames(texts: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, readonly string[]>();
  for (const text of texts) {
    const [app = '', name = '', ...rest] = text.split('=');
    if (app === '' || name === '' || rest.length > 0) {
      const problem = `--host-name must be an app and a name, such as shop=shop.example.com, not '${text}'.`;
      throw cliErrors.create('FLAG_INVALID', { problem });
    }
    names.set(app, [...(names.get(app) ?? []), name]);
  }
  return names;
}
