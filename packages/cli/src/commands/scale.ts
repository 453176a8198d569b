import { defineCommand } from '../command.ts';
import { controlFlags, jsonFlag } from '../control/control-flags.ts';
import { openControl } from '../control/open-control.ts';
import { requireApp } from '../control/required-words.ts';
import { untilStopped } from '../control/until-stopped.ts';
import { exitCodes } from '../exit-codes.ts';
import { choose } from '../scaffold/choices.ts';

type ScaleAction = 'explain' | 'set';

const actions: Readonly<Record<ScaleAction, readonly string[]>> = { explain: ['explain', 'show'], set: ['set'] };

export const scaleCommand = defineCommand({
  name: 'scale',
  summary: 'Explains how many workers an app has, or says how far it may scale.',
  positional: {
    name: 'words',
    usage: 'explain <app> | set <app> NAME=VALUE ...',
    summary:
      'what to do, and with which app; names are alwaysReady, minimum, maximum, targetConcurrency (or targetConcurrency.FUNCTION), perWorkerLimit, stabilizationSeconds and paused; NAME= takes one back',
    maximum: 50,
  },
  flags: { json: jsonFlag, ...controlFlags },
  examples: [
    'switchyard scale explain shop',
    'switchyard scale set shop maximum=20 alwaysReady=1',
    'switchyard scale set shop targetConcurrency.resize=1 maximum=',
  ],
  async run({ positionals: [action = 'explain', word, ...rest], flags }, context) {
    const chosen = choose<ScaleAction>('action', action, actions);
    const app = requireApp(word, `switchyard scale ${chosen} <app>${chosen === 'set' ? ' NAME=VALUE ...' : ''}`);
    const { describeScale, toScale } = await import('../control/scale-words.ts');
    const client = await openControl(flags, context);
    return untilStopped(context, async (signal) => {
      const path = { app };
      const present = await client.call('getScale', { path, signal });
      const { revision } = present;
      const view =
        chosen === 'explain'
          ? present
          : await client.call('putScale', { path, body: { scale: toScale(present.scale, rest), revision }, signal });
      context.stdout.write(flags.json ? `${JSON.stringify(view)}\n` : describeScale(app, view));
      return exitCodes.done.code;
    });
  },
});
