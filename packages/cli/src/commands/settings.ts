import { defineCommand } from '../command.ts';
import type { SettingsAction } from '../control/change-settings.ts';
import { controlFlags, jsonFlag } from '../control/control-flags.ts';
import { openControl } from '../control/open-control.ts';
import { requireApp } from '../control/required-words.ts';
import { untilStopped } from '../control/until-stopped.ts';
import { exitCodes } from '../exit-codes.ts';
import { choose } from '../scaffold/choices.ts';

const usage = 'switchyard settings <app> [list | set NAME=VALUE ... | unset NAME ...]';

/** Spellings of what can be done, the one that is shown first. */
const actions: Readonly<Record<SettingsAction, readonly string[]>> = {
  list: ['list', 'ls'],
  set: ['set'],
  unset: ['unset', 'remove', 'rm'],
};

export const settingsCommand = defineCommand({
  name: 'settings',
  summary: 'Lists, sets and removes the settings of an app.',
  positional: {
    name: 'words',
    usage: '<app> [list | set NAME=VALUE ... | unset NAME ...]',
    summary: 'the app and what to do; a value @FILE is what the file holds, @- what comes on stdin',
    maximum: 1_000,
  },
  flags: {
    reveal: { kind: 'switch', summary: 'shows the values, which are masked otherwise' },
    json: jsonFlag,
    ...controlFlags,
  },
  examples: [
    'switchyard settings shop',
    'switchyard settings shop set LogLevel=debug Password=@-',
    'switchyard settings shop unset LogLevel',
  ],
  async run({ positionals: [word, action = 'list', ...rest], flags }, context) {
    const app = requireApp(word, usage);
    const chosen = choose<SettingsAction>('action', action, actions);
    const { describeChange, describeSettings, toPatch } = await import('../control/change-settings.ts');
    return untilStopped(context, async (signal) => {
      const patch = await toPatch(chosen, rest, context, signal);
      const client = await openControl(flags, context);
      const query = flags.reveal ? { reveal: '' } : {};
      const settings =
        patch === undefined
          ? await client.call('getSettings', { path: { app }, query, signal })
          : await client.call('patchSettings', { path: { app }, body: patch, signal });
      if (flags.json) context.stdout.write(`${JSON.stringify(settings)}\n`);
      else context.stdout.write(patch === undefined ? describeSettings(app, settings) : describeChange(app, patch));
      return exitCodes.done.code;
    });
  },
});
