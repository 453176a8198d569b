import { defineCommand } from '../command.ts';
import { controlFlags, jsonFlag } from '../control/control-flags.ts';
import { openControl } from '../control/open-control.ts';
import { requireApp } from '../control/required-words.ts';
import { untilStopped } from '../control/until-stopped.ts';
import { exitCodes } from '../exit-codes.ts';
import { choose } from '../scaffold/choices.ts';

export const logsCommand = defineCommand({
  name: 'logs',
  summary: "Shows the lines of an app: its functions', its workers' consoles, and the platform's own about it.",
  positional: { name: 'app', usage: '<app>', summary: 'the app', maximum: 1 },
  flags: {
    follow: { kind: 'switch', short: 'f', summary: 'goes on with the lines to come, until Ctrl-C' },
    tail: {
      kind: 'integer',
      placeholder: 'N',
      minimum: 0,
      maximum: 10_000,
      summary: 'begins with the last N lines (all that are kept)',
    },
    level: {
      kind: 'text',
      placeholder: 'LEVEL',
      summary: 'trace, debug, information, warning, error or critical: this one and those above it (all)',
    },
    json: jsonFlag,
    ...controlFlags,
  },
  examples: [
    'switchyard logs shop',
    'switchyard logs shop -f --tail 20',
    'switchyard logs shop --level warning --json',
  ],
  async run({ positionals: [word], flags }, context) {
    const app = requireApp(word, 'switchyard logs <app>');
    const { levels, readLogs, toLogLine } = await import('../control/show-logs.ts');
    const level = flags.level === undefined ? undefined : choose('level', flags.level, levels);
    const client = await openControl(flags, context);
    const { follow } = flags;
    return untilStopped(
      context,
      async (signal) => {
        const onLost = (reason: string) =>
          context.stderr.write(`The connection was lost (${reason}); trying to get it back.\n`);
        for await (const line of readLogs(client, { app, follow, tail: flags.tail, level, signal, onLost }))
          context.stdout.write(flags.json ? `${JSON.stringify(line)}\n` : toLogLine(line, context));
        return exitCodes.done.code;
      },
      { follows: follow },
    );
  },
});
