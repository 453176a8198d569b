import { defineCommand } from '../command.ts';
import { controlFlags, jsonFlag } from '../control/control-flags.ts';
import { openControl } from '../control/open-control.ts';
import { requireApp } from '../control/required-words.ts';
import { untilStopped } from '../control/until-stopped.ts';

export const traceCommand = defineCommand({
  name: 'trace',
  summary: 'Shows the frames between the workers of an app and their Runtime as they pass, until Ctrl-C.',
  positional: { name: 'app', usage: '<app>', summary: 'the app', maximum: 1 },
  flags: {
    worker: { kind: 'text', placeholder: 'ID', summary: "this worker's frames only; 'switchyard ps <app>' lists them" },
    json: jsonFlag,
    ...controlFlags,
  },
  examples: ['switchyard trace shop', 'switchyard trace shop --json | jq .type'],
  async run({ positionals: [word], flags }, context) {
    const app = requireApp(word, 'switchyard trace <app>');
    const client = await openControl(flags, context);
    const { showTrace } = await import('../control/show-trace.ts');
    return untilStopped(
      context,
      (signal) => showTrace(client, { app, worker: flags.worker, json: flags.json, signal }, context),
      { follows: true },
    );
  },
});
