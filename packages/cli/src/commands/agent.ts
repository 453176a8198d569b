import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { AgentOptions } from '@switchyard/standalone/agent';
import { type CommandContext, type CommandInput, defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';

const flags = {
  config: {
    kind: 'text',
    short: 'c',
    placeholder: 'FILE',
    summary: 'takes the settings of this YAML or JSON file (defaults, and SWITCHYARD_AGENT_* variables)',
  },
  'print-config': { kind: 'switch', summary: 'shows every setting, its value and where it comes from, and ends' },
  host: { kind: 'text', placeholder: 'ADDRESS', summary: 'listens on this address (127.0.0.1)' },
  port: {
    kind: 'integer',
    short: 'p',
    placeholder: 'N',
    minimum: 0,
    maximum: 65_535,
    summary: 'listens on this port; 0 takes any (9000)',
  },
  'worker-id': { kind: 'text', placeholder: 'NAME', summary: 'goes by this name (<machine>:<port>)' },
  jobs: {
    kind: 'integer',
    short: 'j',
    placeholder: 'N',
    minimum: 1,
    maximum: 10_000,
    summary: 'runs at most this many jobs at once (4)',
  },
  store: {
    kind: 'text',
    placeholder: 'FILE',
    summary: 'keeps jobs in this SQLite file, so that a restart loses none (memory)',
  },
  'docker-socket': {
    kind: 'text',
    placeholder: 'PATH',
    summary: 'finds the container engine here (/var/run/docker.sock)',
  },
  'tls-certificate': { kind: 'text', placeholder: 'FILE', summary: 'shows this certificate to masters (plain HTTP)' },
  'tls-key': { kind: 'text', placeholder: 'FILE', summary: 'the key of that certificate' },
  json: { kind: 'switch', summary: 'writes one JSON object per line' },
  verbose: { kind: 'switch', summary: 'shows more of what the agent does' },
} as const;

type AgentInput = CommandInput<typeof flags>;

export const agentCommand = defineCommand({
  name: 'agent',
  summary: 'Runs container jobs on this machine for whoever asks over HTTP.',
  flags,
  examples: [
    'switchyard agent',
    'switchyard agent --store jobs.db --jobs 8',
    'switchyard agent --config worker.yaml --print-config',
  ],
  run: async (input, context) => {
    const stopRequested = new Promise<string>((resolve) => context.onStopRequest(resolve));
    const options = await toOptions(input, context);
    // Everything heavy is loaded here, so that the other commands do not wait for it.
    const { describeConfiguration, startAgent } = await import('@switchyard/standalone/agent');
    if (input.flags['print-config']) {
      context.stdout.write(await describeConfiguration(options));
      return exitCodes.done.code;
    }
    const agent = await startAgent(options);
    await stopRequested;
    await agent.stop();
    return exitCodes.done.code;
  },
});

/** Settings by the flags that stand for them. */
const settings = [
  ['host', 'listen.host'],
  ['port', 'listen.port'],
  ['worker-id', 'worker_id'],
  ['jobs', 'max_concurrent_jobs'],
  ['docker-socket', 'docker.socket'],
  ['tls-certificate', 'listen.tls_certificate'],
  ['tls-key', 'listen.tls_key'],
] as const;

async function toOptions({ flags: given }: AgentInput, context: CommandContext): Promise<AgentOptions> {
  const { workingDirectory, environment, stdout } = context;
  const { store, config } = given;
  const plain = settings.flatMap(([name, path]) => {
    const value = given[name];
    return value === undefined ? [] : [{ path, value, flag: `--${name}` }];
  });
  const stored =
    store === undefined
      ? []
      : [
          { path: 'store.kind', value: 'sqlite', flag: '--store' },
          { path: 'store.path', value: resolve(workingDirectory, store), flag: '--store' },
        ];
  const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  return {
    configFile: config === undefined ? undefined : resolve(workingDirectory, config),
    flags: [...plain, ...stored],
    workingDirectory,
    environment,
    version: String(manifest.version),
    output: given.json ? 'json' : 'text',
    verbose: given.verbose,
    console: stdout,
  };
}
