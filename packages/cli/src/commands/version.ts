import { readFile } from 'node:fs/promises';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';

export const versionCommand = defineCommand({
  name: 'version',
  summary: 'Shows the versions of Switchyard and of the Node.js that it runs on.',
  flags: {},
  examples: [],
  async run(_input, { stdout }) {
    const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
    stdout.write(
      `switchyard ${manifest.version} (Node.js ${process.versions.node}, ${process.platform}-${process.arch})\n`,
    );
    return exitCodes.done.code;
  },
});
