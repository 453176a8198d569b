import { readFile } from 'node:fs/promises';
import { defineCommand } from '../command.ts';
import { jsonFlag } from '../control/control-flags.ts';
import { exitCodes } from '../exit-codes.ts';

export const versionCommand = defineCommand({
  name: 'version',
  summary: 'Shows the versions of Switchyard and of the Node.js that it runs on.',
  flags: { json: jsonFlag },
  examples: [],
  async run({ flags }, { stdout }) {
    const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
    const version: string = manifest.version;
    const [node, machine] = [process.versions.node, `${process.platform}-${process.arch}`];
    stdout.write(
      flags.json
        ? `${JSON.stringify({ version, node, platform: process.platform, architecture: process.arch })}\n`
        : `switchyard ${version} (Node.js ${node}, ${machine})\n`,
    );
    return exitCodes.done.code;
  },
});
