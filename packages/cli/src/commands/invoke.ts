import { defineCommand } from '../command.ts';
import { controlFlags, jsonFlag } from '../control/control-flags.ts';
import { openControl } from '../control/open-control.ts';
import { requireApp, requireFunction } from '../control/required-words.ts';
import { untilStopped } from '../control/until-stopped.ts';

const usage = 'switchyard invoke <app> <function>';

export const invokeCommand = defineCommand({
  name: 'invoke',
  summary: 'Calls a function of an app once and prints what it answers.',
  positional: { name: 'names', usage: '<app> <function>', summary: 'the app and one of its functions', maximum: 2 },
  flags: {
    data: { kind: 'text', placeholder: 'TEXT', short: 'd', summary: 'the input; @FILE for a file, @- for stdin' },
    method: { kind: 'text', placeholder: 'METHOD', short: 'X', summary: 'the HTTP method (GET, with data POST)' },
    path: { kind: 'text', placeholder: 'PATH', summary: "the path with its query, from / (the function's route)" },
    header: { kind: 'list', placeholder: "'NAME: VALUE'", short: 'H', summary: 'a header; may be given many times' },
    include: { kind: 'switch', short: 'i', summary: 'prints the status and the headers of the answer too' },
    output: { kind: 'text', placeholder: 'FILE', short: 'o', summary: "writes the answer's body to a file" },
    json: jsonFlag,
    ...controlFlags,
  },
  examples: [
    'switchyard invoke shop hello',
    "switchyard invoke shop order --data '{\"id\": 7}' -H 'content-type: application/json'",
    "switchyard invoke shop order --method PUT --path '/api/orders/7?dry=1' --data @order.json",
  ],
  async run({ positionals: [app, name], flags }, context) {
    const names = { app: requireApp(app, usage), name: requireFunction(name, usage) };
    const { invokeOnce, toInvocation } = await import('../control/invoke-once.ts');
    return untilStopped(context, async (signal) => {
      const body = await toInvocation(flags, context, signal);
      const client = await openControl(flags, context);
      return invokeOnce(client, { path: names, body, signal }, flags, context);
    });
  },
});
