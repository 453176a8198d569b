import { defineCommand } from '../command.ts';
import { controlFlags, jsonFlag } from '../control/control-flags.ts';
import { controlErrors } from '../control/errors.ts';
import { openControl } from '../control/open-control.ts';
import { untilStopped } from '../control/until-stopped.ts';
import { exitCodes } from '../exit-codes.ts';
import { choose } from '../scaffold/choices.ts';

const actions = { list: ['list', 'ls'], show: ['show'], replay: ['replay'] } as const;

export const dlqCommand = defineCommand({
  name: 'dlq',
  summary: 'Lists the events that a worker gave up on (dead letters), shows one, or has it handled anew.',
  positional: {
    name: 'words',
    usage: '[list | show <id> | replay <id>]',
    summary: 'what to do, and with which dead letter',
    maximum: 2,
  },
  flags: {
    type: { kind: 'text', placeholder: 'NAME', summary: 'lists events of this type only' },
    reason: { kind: 'text', placeholder: 'CODE', summary: 'lists those with this reason only' },
    json: jsonFlag,
    ...controlFlags,
  },
  examples: ['switchyard dlq', 'switchyard dlq show 7', 'switchyard dlq replay 7'],
  async run({ positionals: [word = 'list', letter], flags }, context) {
    const action = choose<keyof typeof actions>('action', word, actions);
    if (action !== 'list' && letter === undefined) {
      const usage = `switchyard dlq ${action} <id>`;
      throw controlErrors.create('ARGUMENT_MISSING', { what: 'The id', usage, fix: "'switchyard dlq' lists all." });
    }
    const client = await openControl(flags, context);
    const { describeLetters } = await import('../control/show-letters.ts');
    return untilStopped(context, async (signal) => {
      const { stdout } = context;
      if (action === 'list' || letter === undefined) {
        const { type, reason } = flags;
        const page = await client.call('listDeadLetters', { path: {}, query: { type, reason }, signal });
        stdout.write(flags.json ? `${JSON.stringify(page)}\n` : describeLetters(page.items));
      } else if (action === 'show') {
        const found = await client.call('getDeadLetter', { path: { letter }, signal });
        stdout.write(`${JSON.stringify(found, null, flags.json ? 0 : 2)}\n`);
      } else {
        await client.call('replayDeadLetter', { path: { letter }, body: {}, signal });
        if (!flags.json) stdout.write(`${letter} is handled anew.\n`);
      }
      return exitCodes.done.code;
    });
  },
});
