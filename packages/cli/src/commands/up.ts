import { resolve } from 'node:path';
import type { UpOptions } from '@switchyard/standalone/up';
import { type CommandContext, type CommandInput, defineCommand } from '../command.ts';
import { platformFolder } from '../control/platform-folder.ts';
import { toWorkers } from '../control/worker-names.ts';
import { exitCodes } from '../exit-codes.ts';
import { doorFlags, toDoors } from './up/door-flags.ts';
import { toRemoteWorkers, workerFlags } from './up/worker-flags.ts';

const port = { kind: 'integer', placeholder: 'N', minimum: 0, maximum: 65_535 } as const;

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
  https: { kind: 'switch', summary: 'has callers of the apps speak TLS, by the certificate of --tls-certificate' },
  ...doorFlags,
  'data-dir': {
    kind: 'text',
    placeholder: 'FOLDER',
    fallback: '.switchyard in the home folder',
    summary: 'keeps apps, settings and keys here (~/.switchyard)',
  },
  placeholders: {
    kind: 'integer',
    placeholder: 'N',
    minimum: 0,
    maximum: 1_000,
    fallback: '1',
    summary: 'keeps this many warm workers of each language that is in use (1)',
  },
  'idle-seconds': {
    kind: 'integer',
    placeholder: 'N',
    minimum: 1,
    maximum: 86_400,
    fallback: '300',
    summary: 'gives the worker of an app back after so long without a call (300)',
  },
  'max-runtimes': {
    kind: 'integer',
    placeholder: 'N',
    minimum: 1,
    maximum: 100,
    fallback: '1',
    summary: 'starts further Runtimes as apps need them, and lets others join, up to this many (1)',
  },
  'workers-per-runtime': {
    kind: 'integer',
    placeholder: 'N',
    minimum: 1,
    maximum: 1_000,
    fallback: '20',
    summary: 'with several Runtimes: the workers of each, of all its apps together (20)',
  },
  'runtime-idle-seconds': {
    kind: 'integer',
    placeholder: 'N',
    minimum: 1,
    maximum: 86_400,
    fallback: '60',
    summary: 'ends a Runtime that was started and has had no app for so long (60)',
  },
  region: { kind: 'text', placeholder: 'NAME', summary: 'the region of the Runtimes here; apps may ask for one' },
  'trusted-tenants': { kind: 'switch', summary: 'lets apps of several tenants share this user and machine' },
  'tenant-uids': {
    kind: 'integer',
    placeholder: 'ID',
    minimum: 1_000,
    maximum: 65_000,
    fallback: '40000',
    summary: 'as root: the user id of the first tenant, from which the others count on (40000)',
  },
  'busy-percent': {
    kind: 'integer',
    placeholder: 'N',
    minimum: 5,
    maximum: 100,
    fallback: '50',
    summary: "lets the busiest tenants fill this part of the Runtime's time while others are at work, too (50)",
  },
  'no-azurite': { kind: 'switch', summary: 'starts no storage emulator, whatever the settings of the apps say' },
  ...workerFlags,
  'scaler-port': {
    ...port,
    fallback: 'closed',
    summary: 'tells KEDA on this port how many workers are wanted, as an external scaler; 0 takes any (closed)',
  },
  'scaler-host': { kind: 'text', placeholder: 'ADDRESS', summary: 'listens for KEDA on this address (127.0.0.1)' },
  webhook: { kind: 'list', placeholder: 'URL', summary: 'posts alerts to this address; may be given many times' },
  workers: {
    kind: 'list',
    placeholder: 'NAMES',
    summary:
      'runs these workers of the control plane here, and leaves the others to other processes; none for no one (all)',
  },
  'nats-server': {
    kind: 'list',
    placeholder: 'ADDRESS',
    summary: 'has events go over these NATS servers instead of the embedded bus; may be given many times',
  },
  'vault-key': {
    kind: 'text',
    placeholder: 'FILE',
    fallback: 'vault.key in the data folder',
    summary: 'takes the key that seals settings and secrets on their way from this file (vault.key in the data folder)',
  },
  json: { kind: 'switch', summary: 'writes one JSON object per line' },
  verbose: { kind: 'switch', summary: 'shows what the host itself does' },
} as const;

type UpInput = CommandInput<typeof flags>;

export const upCommand = defineCommand({
  name: 'up',
  summary: 'Runs an installation on this machine, to which apps are deployed.',
  flags,
  configurable: true,
  examples: ['switchyard up', 'switchyard up --data-dir /var/lib/switchyard --trusted-tenants'],
  run: async (input, context) => {
    const stopRequested = new Promise<string>((resolve) => context.onStopRequest(resolve));
    // Everything heavy is loaded here, so that the other commands do not wait for it.
    const { startUp } = await import('@switchyard/standalone/up');
    const up = await startUp(toOptions(input, context));
    await stopRequested;
    await up.stop();
    return exitCodes.done.code;
  },
});

function toOptions({ flags: given }: UpInput, context: CommandContext): UpOptions {
  const { workingDirectory } = context;
  return {
    port: given.port,
    host: given.host,
    https: given.https,
    ...toDoors(given, context),
    dataDirectory: platformFolder(given['data-dir'], context),
    placeholders: given.placeholders,
    idleSeconds: given['idle-seconds'],
    maxRuntimes: given['max-runtimes'],
    workersPerRuntime: given['workers-per-runtime'],
    runtimeIdleSeconds: given['runtime-idle-seconds'],
    region: given.region,
    commandLine: context.commandLine,
    trustedTenants: given['trusted-tenants'],
    tenantUids: given['tenant-uids'],
    busyPercent: given['busy-percent'],
    startsAzurite: !given['no-azurite'],
    ...toRemoteWorkers(given, context),
    scaler: given['scaler-port'] === undefined ? undefined : { host: given['scaler-host'], port: given['scaler-port'] },
    webhooks: given.webhook ?? [],
    workers: toWorkers(given.workers ?? []),
    natsServers: given['nats-server'],
    vaultKey: given['vault-key'] === undefined ? undefined : resolve(workingDirectory, given['vault-key']),
    output: given.json ? 'json' : 'text',
    verbose: given.verbose,
    environment: context.environment,
    console: context.stdout,
    errors: context.stderr,
  };
}
