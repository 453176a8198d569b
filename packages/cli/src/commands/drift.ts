import { defineCommand } from '../command.ts';
import { controlFlags, jsonFlag } from '../control/control-flags.ts';
import { controlErrors } from '../control/errors.ts';
import { openControl } from '../control/open-control.ts';
import { untilStopped } from '../control/until-stopped.ts';
import { exitCodes } from '../exit-codes.ts';
import { choose } from '../scaffold/choices.ts';

const actions = { list: ['list', 'ls'], remediate: ['remediate'], adopt: ['adopt'] } as const;

export const driftCommand = defineCommand({
  name: 'drift',
  summary: 'Lists what is otherwise than it ought to be, has it undone, or takes it for what is right.',
  positional: {
    name: 'words',
    usage: '[list | remediate <finding> | adopt <finding>]',
    summary: 'what to do, and with which finding',
    maximum: 2,
  },
  flags: {
    all: { kind: 'switch', summary: 'lists those too that are resolved or adopted' },
    json: jsonFlag,
    ...controlFlags,
  },
  examples: ['switchyard drift', 'switchyard drift remediate shop/0a1b2c', 'switchyard drift adopt shop/0a1b2c'],
  async run({ positionals: [word = 'list', findingId], flags }, context) {
    const action = choose<keyof typeof actions>('action', word, actions);
    if (action !== 'list' && findingId === undefined) {
      const usage = `switchyard drift ${action} <finding>`;
      throw controlErrors.create('ARGUMENT_MISSING', {
        what: 'The finding',
        usage,
        fix: "'switchyard drift' lists all.",
      });
    }
    const client = await openControl(flags, context);
    const { describeRecords } = await import('../control/show-records.ts');
    return untilStopped(context, async (signal) => {
      if (action !== 'list' && findingId !== undefined) {
        await client.call('decideDrift', { path: {}, body: { findingId, decision: action }, signal });
        const said = action === 'adopt' ? 'is taken for what is right' : 'is being undone';
        if (!flags.json) context.stdout.write(`${findingId} ${said}.\n`);
        return exitCodes.done.code;
      }
      const query = flags.all ? {} : { state: 'open' };
      const { items } = await client.call('listRecords', { path: { collection: 'findings' }, query, signal });
      context.stdout.write(flags.json ? `${JSON.stringify({ items })}\n` : describeRecords('findings', items));
      return exitCodes.done.code;
    });
  },
});
