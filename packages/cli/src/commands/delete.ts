import { defineCommand } from '../command.ts';
import { confirmDeletion } from '../control/confirm-deletion.ts';
import { controlFlags } from '../control/control-flags.ts';
import { openControl } from '../control/open-control.ts';
import { requireApp } from '../control/required-words.ts';
import { untilStopped } from '../control/until-stopped.ts';
import { exitCodes } from '../exit-codes.ts';

export const deleteCommand = defineCommand({
  name: 'delete',
  summary: 'Ends an app and forgets its versions, settings and keys.',
  positional: { name: 'app', usage: '<app>', summary: 'the app', maximum: 1 },
  flags: { yes: { kind: 'switch', short: 'y', summary: 'asks no question' }, ...controlFlags },
  examples: ['switchyard delete shop', 'switchyard delete shop --yes'],
  async run({ positionals: [word], flags }, context) {
    const app = requireApp(word, 'switchyard delete <app>');
    const client = await openControl(flags, context);
    return untilStopped(context, async (signal) => {
      if (!flags.yes) {
        // Who mistyped the name learns it before the question.
        await client.call('getApplication', { path: { app }, signal });
        await confirmDeletion(app, context, signal);
      }
      await client.call('deleteApplication', { path: { app }, signal });
      context.stdout.write(`App '${app}' is deleted.\n`);
      return exitCodes.done.code;
    });
  },
});
