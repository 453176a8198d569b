import { type CommandContext, defineCommand } from '../command.ts';
import { controlFlags, jsonFlag } from '../control/control-flags.ts';
import type { ControlFlagValues } from '../control/endpoint.ts';
import { openControl } from '../control/open-control.ts';
import { requireApp, requireTenant } from '../control/required-words.ts';
import { untilStopped } from '../control/until-stopped.ts';
import { exitCodes } from '../exit-codes.ts';
import { choose } from '../scaffold/choices.ts';

type ScaleAction = 'explain' | 'set' | 'quota';

const actions: Readonly<Record<ScaleAction, readonly string[]>> = {
  explain: ['explain', 'show'],
  set: ['set'],
  quota: ['quota'],
};

export const scaleCommand = defineCommand({
  name: 'scale',
  summary: 'Explains how many workers an app has, or says how far it or a tenant may scale.',
  positional: {
    name: 'words',
    usage: 'explain <app> | set <app> NAME=VALUE ... | quota <tenant> [workers=COUNT]',
    summary:
      'what to do, and with which app or tenant; names are alwaysReady, minimum, maximum, targetConcurrency (or targetConcurrency.FUNCTION), targetCpuPercent, perWorkerLimit, stabilizationSeconds, paused, region and isolation; NAME= takes one back',
    maximum: 50,
  },
  flags: { json: jsonFlag, ...controlFlags },
  examples: [
    'switchyard scale explain shop',
    'switchyard scale set shop maximum=20 alwaysReady=1',
    'switchyard scale set shop targetConcurrency.resize=1 maximum=',
    'switchyard scale quota contoso workers=40',
  ],
  async run({ positionals: [action = 'explain', word, ...rest], flags }, context) {
    const chosen = choose<ScaleAction>('action', action, actions);
    if (chosen === 'quota') return await runQuota(word, rest, flags, context);
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

/** Shows what a tenant may have, or says it anew. */
async function runQuota(
  word: string | undefined,
  words: readonly string[],
  flags: ControlFlagValues & { readonly json: boolean },
  context: CommandContext,
): Promise<number> {
  const tenant = requireTenant(word, 'switchyard scale quota <tenant> [workers=COUNT]');
  const { describeQuota, toQuota } = await import('../control/scale-words.ts');
  const client = await openControl(flags, context);
  return untilStopped(context, async (signal) => {
    const path = { tenant };
    const present = await client.call('getTenantQuota', { path, signal });
    const body = { quota: toQuota(present.quota, words), revision: present.revision };
    const view = words.length === 0 ? present : await client.call('putTenantQuota', { path, body, signal });
    context.stdout.write(flags.json ? `${JSON.stringify(view)}\n` : describeQuota(tenant, view));
    return exitCodes.done.code;
  });
}
