import { defineCommand } from '../command.ts';
import { controlFlags, jsonFlag } from '../control/control-flags.ts';
import { openControl } from '../control/open-control.ts';
import { requireApp } from '../control/required-words.ts';
import { untilStopped } from '../control/until-stopped.ts';
import { exitCodes } from '../exit-codes.ts';

export const debugCommand = defineCommand({
  name: 'debug',
  summary: 'Opens the inspector of a worker of an app and prints its address.',
  positional: { name: 'app', usage: '<app>', summary: 'the app', maximum: 1 },
  flags: {
    worker: { kind: 'text', placeholder: 'ID', summary: "this worker ('switchyard ps <app>' lists them; any)" },
    json: jsonFlag,
    ...controlFlags,
  },
  examples: ['switchyard debug shop', 'switchyard debug shop --worker 6f1c'],
  async run({ positionals: [word], flags }, context) {
    const app = requireApp(word, 'switchyard debug <app>');
    const client = await openControl(flags, context);
    return untilStopped(context, async (signal) => {
      const body = flags.worker === undefined ? {} : { workerId: flags.worker };
      const answer = await client.call('debugApplication', { path: { app }, body, signal });
      context.stdout.write(flags.json ? `${JSON.stringify(answer)}\n` : `${answer.inspectorUrl}\n`);
      if (!flags.json)
        context.stderr.write(
          `The inspector of worker ${answer.workerId} listens. Attach an editor or 'node inspect' to it.\n`,
        );
      return exitCodes.done.code;
    });
  },
});
