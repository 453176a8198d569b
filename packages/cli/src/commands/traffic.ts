import { defineCommand } from '../command.ts';
import { controlFlags, jsonFlag } from '../control/control-flags.ts';
import { openControl } from '../control/open-control.ts';
import { requireApp } from '../control/required-words.ts';
import { untilStopped } from '../control/until-stopped.ts';
import { exitCodes } from '../exit-codes.ts';

export const trafficCommand = defineCommand({
  name: 'traffic',
  summary: 'Shares the requests of an app among its versions, or shows how they are shared.',
  positional: {
    name: 'shares',
    usage: '<app> [VERSION=PERCENT ...]',
    summary: 'the app, and shares that add up to 100; the beginning of a version is enough',
    maximum: 11,
  },
  flags: { json: jsonFlag, ...controlFlags },
  examples: ['switchyard traffic shop', 'switchyard traffic shop 3f2a=90 b71c=10', 'switchyard traffic shop b71c=100'],
  async run({ positionals: [word, ...shares], flags }, context) {
    const app = requireApp(word, 'switchyard traffic <app> [VERSION=PERCENT ...]');
    const { describeTraffic, parseShares, toWeights } = await import('../control/share-traffic.ts');
    const parsed = parseShares(shares);
    const client = await openControl(flags, context);
    return untilStopped(context, async (signal) => {
      const path = { app };
      const traffic =
        parsed.length === 0
          ? await client.call('getTraffic', { path, signal })
          : await client.call('setTraffic', {
              path,
              body: { weights: toWeights(await client.call('getStatus', { path, signal }), parsed) },
              signal,
            });
      context.stdout.write(flags.json ? `${JSON.stringify(traffic)}\n` : describeTraffic(app, traffic));
      return exitCodes.done.code;
    });
  },
});
