import { defineCommand } from '../command.ts';
import { controlFlags } from '../control/control-flags.ts';
import { controlErrors } from '../control/errors.ts';
import { openControl } from '../control/open-control.ts';
import { untilStopped } from '../control/until-stopped.ts';
import { exitCodes } from '../exit-codes.ts';

export const rotateCommand = defineCommand({
  name: 'rotate',
  summary: 'Gives a secret a new value before its time.',
  positional: { name: 'secret', usage: '<secret>', summary: 'the secret binding', maximum: 1 },
  flags: controlFlags,
  examples: ['switchyard rotate shop-database'],
  async run({ positionals: [secret], flags }, context) {
    if (secret === undefined) {
      const fix = "'switchyard get secret-bindings' lists all.";
      throw controlErrors.create('ARGUMENT_MISSING', { what: 'The secret', usage: 'switchyard rotate <secret>', fix });
    }
    const client = await openControl(flags, context);
    return untilStopped(context, async (signal) => {
      await client.call('rotateSecret', { path: { secret }, body: {}, signal });
      context.stdout.write(
        `${secret} gets a new value. See how far it is: switchyard get secret-rotations ${secret}\n`,
      );
      return exitCodes.done.code;
    });
  },
});
