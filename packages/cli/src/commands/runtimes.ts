import { defineCommand } from '../command.ts';
import { controlFlags, jsonFlag } from '../control/control-flags.ts';
import { openControl } from '../control/open-control.ts';
import { untilStopped } from '../control/until-stopped.ts';
import { exitCodes } from '../exit-codes.ts';

export const runtimesCommand = defineCommand({
  name: 'runtimes',
  summary: 'Lists the Runtimes of a running platform, with the apps and workers that each has.',
  flags: { json: jsonFlag, ...controlFlags },
  examples: ['switchyard runtimes', 'switchyard runtimes --json'],
  async run({ flags }, context) {
    const client = await openControl(flags, context);
    const { describeRuntimes } = await import('../control/show-runtimes.ts');
    return untilStopped(context, async (signal) => {
      const list = await client.call('listRuntimes', { path: {}, signal });
      context.stdout.write(flags.json ? `${JSON.stringify(list)}\n` : describeRuntimes(list));
      return exitCodes.done.code;
    });
  },
});
