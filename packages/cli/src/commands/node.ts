import { defineCommand } from '../command.ts';
import { jsonFlag } from '../control/control-flags.ts';
import { platformFolder } from '../control/platform-folder.ts';
import { cliErrors } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { choose } from '../scaffold/choices.ts';

type NodeAction = 'add' | 'ls';

const actions: Readonly<Record<NodeAction, readonly string[]>> = { add: ['add', 'install'], ls: ['ls', 'list'] };

export const nodeCommand = defineCommand({
  name: 'node',
  summary: 'Lists and fetches releases of Node.js for apps that want another one than ours.',
  positional: {
    name: 'words',
    usage: '[ls | add VERSION]',
    summary: 'what to do, and the release: 22 for the newest 22, 22.11.0 for that one',
    maximum: 2,
  },
  flags: {
    'data-dir': {
      kind: 'text',
      placeholder: 'FOLDER',
      fallback: '.switchyard in the home folder',
      summary: "where 'switchyard up' keeps its data (~/.switchyard)",
    },
    json: jsonFlag,
  },
  examples: ['switchyard node add 22', 'switchyard deploy shop --stack node:22'],
  async run({ positionals: [action = 'ls', version], flags }, context) {
    const { addNode, listNodes } = await import('@switchyard/standalone/nodes');
    const folder = platformFolder(flags['data-dir'], context);
    if (choose<NodeAction>('action', action, actions) === 'add') {
      if (version === undefined) {
        throw cliErrors.create('FLAG_INVALID', { problem: 'Name the release: switchyard node add 22.' });
      }
      const added = await addNode(folder, version);
      if (flags.json) context.stdout.write(`${JSON.stringify(added)}\n`);
      else
        context.stdout.write(
          `Node.js ${added.version} is there. A running 'switchyard up' knows it after a restart.\n`,
        );
      return exitCodes.done.code;
    }
    const releases = await listNodes(folder);
    const own = { version: process.versions.node, path: process.execPath };
    for (const release of [own, ...releases]) {
      context.stdout.write(flags.json ? `${JSON.stringify(release)}\n` : `${release.version}  ${release.path}\n`);
    }
    return exitCodes.done.code;
  },
});
