import { defineCommand } from '../command.ts';
import { jsonFlag } from '../control/control-flags.ts';
import { platformFolder } from '../control/platform-folder.ts';
import { capsVerbs, isCapsVerb } from './caps/verbs.ts';

const usage = `<${capsVerbs.join('|')}> [name[@version]]`;

export const capsCommand = defineCommand({
  name: 'caps',
  summary: 'Shows and steers the capabilities of a running broker, or runs a broker alone.',
  positional: { name: 'verb', usage, summary: 'what to do, and with which capability', maximum: 2 },
  flags: {
    weight: {
      kind: 'integer',
      placeholder: 'PERCENT',
      minimum: 0,
      maximum: 100,
      summary: 'rollout, add: the share of accounts that get the version',
    },
    shards: {
      kind: 'integer',
      placeholder: 'N',
      minimum: 1,
      maximum: 1_000,
      summary: 'warm: loads so many shards (1)',
    },
    port: {
      kind: 'integer',
      placeholder: 'N',
      minimum: 0,
      maximum: 65_535,
      summary: 'serve, host: accepts WebSockets on this port; 0 takes any (serve: none, host: 7074)',
    },
    host: { kind: 'text', placeholder: 'ADDRESS', summary: 'serve, host: accepts them on this address (127.0.0.1)' },
    account: { kind: 'text', placeholder: 'NAME', summary: 'serve: prints the variables for this account (local)' },
    'memory-mb': {
      kind: 'integer',
      placeholder: 'N',
      minimum: 64,
      maximum: 1_000_000,
      summary: 'serve: all that is loaded may hold so much (1024)',
    },
    'data-dir': {
      kind: 'text',
      placeholder: 'FOLDER',
      summary: 'where the broker keeps its data, and is found (~/.switchyard)',
    },
    json: jsonFlag,
  },
  examples: [
    'switchyard caps ls',
    'switchyard caps warm ml.inference --shards 2',
    'switchyard caps add capability.json --weight 0',
    'switchyard caps rollout ml.inference@2.0.0 --weight 10',
    'switchyard caps drain ml.inference@1.0.0',
    'switchyard caps serve --port 7073',
  ],
  async run({ positionals: [verb, word], flags }, context) {
    const { capsErrors } = await import('./caps/errors.ts');
    if (verb === undefined) throw capsErrors.create('CAPS_ARGUMENT_MISSING', { what: 'What to do', usage });
    if (!isCapsVerb(verb)) {
      const known = capsVerbs.join(', ');
      throw capsErrors.create('CAPS_VERB_UNKNOWN', { verb: verb.slice(0, 80), known });
    }
    const directory = platformFolder(flags['data-dir'], context);
    if (verb === 'serve') {
      const { serveCaps } = await import('./caps/serve-caps.ts');
      const { port, host, account, json } = flags;
      return serveCaps({ directory, port, host, account, json, memoryMb: flags['memory-mb'] }, context);
    }
    if (verb === 'host') {
      const { serveHosts } = await import('./caps/serve-hosts.ts');
      return serveHosts({ port: flags.port, host: flags.host, json: flags.json }, context);
    }
    // Everything heavy is loaded here, so that the other commands do not wait for it.
    const { runCapsVerb } = await import('./caps/run-caps-verb.ts');
    const { weight, shards, json } = flags;
    return runCapsVerb(verb, { word, weight, shards, json, directory }, context);
  },
});
