import { defineCommand } from '../command.ts';
import { controlFlags, jsonFlag } from '../control/control-flags.ts';
import { openControl } from '../control/open-control.ts';
import { checkApp } from '../control/required-words.ts';
import { untilStopped } from '../control/until-stopped.ts';
import { exitCodes } from '../exit-codes.ts';

export const psCommand = defineCommand({
  name: 'ps',
  summary: 'Lists the apps of a running platform, or shows one of them in full.',
  positional: { name: 'app', summary: 'the app to show with its versions, workers and functions', maximum: 1 },
  flags: {
    tenant: { kind: 'text', placeholder: 'NAME', summary: 'lists the apps of this tenant only' },
    json: jsonFlag,
    ...controlFlags,
  },
  examples: ['switchyard ps', 'switchyard ps shop', 'switchyard ps --tenant contoso --json'],
  async run({ positionals: [word], flags }, context) {
    const app = word === undefined ? undefined : checkApp(word);
    const client = await openControl(flags, context);
    const { describeApp, describeApps, listApps } = await import('../control/show-apps.ts');
    return untilStopped(context, async (signal) => {
      if (app === undefined) {
        const apps = await listApps(client, { tenant: flags.tenant, signal });
        context.stdout.write(flags.json ? `${JSON.stringify({ applications: apps })}\n` : describeApps(apps));
      } else {
        const status = await client.call('getStatus', { path: { app }, signal });
        context.stdout.write(flags.json ? `${JSON.stringify(status)}\n` : describeApp(status));
      }
      return exitCodes.done.code;
    });
  },
});
