import { defineCommand } from '../command.ts';
import { controlFlags, jsonFlag } from '../control/control-flags.ts';
import { openControl } from '../control/open-control.ts';
import { requireApp } from '../control/required-words.ts';
import { untilStopped } from '../control/until-stopped.ts';
import { exitCodes } from '../exit-codes.ts';

export const rollbackCommand = defineCommand({
  name: 'rollback',
  summary: 'Gives all requests of an app back to an earlier version. Nothing is built or uploaded.',
  positional: {
    name: 'words',
    usage: '<app> [version]',
    summary: 'the app, and the version or its beginning; the one that last had all requests when left out',
    maximum: 2,
  },
  flags: { json: jsonFlag, ...controlFlags },
  examples: ['switchyard rollback shop', 'switchyard rollback shop 3f2a'],
  async run({ positionals: [word, version], flags }, context) {
    const app = requireApp(word, 'switchyard rollback <app> [version]');
    const client = await openControl(flags, context);
    const [{ resolveVersion }, { describeTraffic }] = await Promise.all([
      import('../control/resolve-version.ts'),
      import('../control/share-traffic.ts'),
    ]);
    return untilStopped(context, async (signal) => {
      const path = { app };
      const to =
        version === undefined ? undefined : resolveVersion(await client.call('getStatus', { path, signal }), version);
      const traffic = await client.call('rollBack', { path, body: to === undefined ? {} : { to }, signal });
      context.stdout.write(flags.json ? `${JSON.stringify(traffic)}\n` : describeTraffic(app, traffic));
      return exitCodes.done.code;
    });
  },
});
