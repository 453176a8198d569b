import { resolve } from 'node:path';
import { workerNames } from '@switchyard/protocol/control-words';
import { defineCommand } from '../command.ts';
import { controlFlags } from '../control/control-flags.ts';
import { openControl } from '../control/open-control.ts';
import { platformFolder } from '../control/platform-folder.ts';
import { toWorkers } from '../control/worker-names.ts';
import { exitCodes } from '../exit-codes.ts';

export const controlPlaneCommand = defineCommand({
  name: 'control-plane',
  summary: 'Runs workers of the control plane in a process of their own, for a platform that runs elsewhere.',
  flags: {
    workers: { kind: 'list', placeholder: 'NAMES', summary: `which of ${workerNames.join(', ')}; all when left out` },
    'nats-server': {
      kind: 'list',
      placeholder: 'ADDRESS',
      summary: 'takes events from these NATS servers instead of the embedded bus; may be given many times',
    },
    webhook: { kind: 'list', placeholder: 'URL', summary: 'posts alerts to this address; may be given many times' },
    'vault-key': {
      kind: 'text',
      placeholder: 'FILE',
      summary: "takes the key of the installation's vault from this file (vault.key in the data folder)",
    },
    verbose: { kind: 'switch', summary: 'shows what the workers do' },
    ...controlFlags,
  },
  configurable: true,
  examples: [
    'switchyard control-plane --workers drift',
    'switchyard control-plane --workers drift,health --nats-server nats://bus:4222 --endpoint https://control.example.com',
  ],
  async run({ flags }, context) {
    const workers = toWorkers(flags.workers ?? []);
    const stopRequested = new Promise<string>((done) => context.onStopRequest(done));
    const stop = new AbortController();
    const client = await openControl(flags, context);
    const [{ startWorkers }, { createRemoteControl }] = await Promise.all([
      import('@switchyard/standalone/control-plane'),
      import('../control/remote-control.ts'),
    ]);
    // A connection string holds a password: it is read from the environment alone, where no other process sees it.
    const storeUrl = context.environment.SWITCHYARD_STORE_URL;
    const running = await startWorkers({
      ...{ workers, environment: context.environment, console: context.stdout, verbose: flags.verbose },
      directory: platformFolder(flags['data-dir'], context),
      control: createRemoteControl(client, stop.signal),
      ...(storeUrl === undefined ? {} : { storeUrl }),
      ...(flags['nats-server'] === undefined ? {} : { natsServers: flags['nats-server'] }),
      ...(flags['vault-key'] === undefined ? {} : { vaultKey: resolve(context.workingDirectory, flags['vault-key']) }),
      ...(flags.webhook === undefined ? {} : { webhooks: flags.webhook }),
    });
    await stopRequested;
    await running.stop();
    stop.abort();
    return exitCodes.done.code;
  },
});
