import { defineCommand } from '../command.ts';
import { controlFlags, jsonFlag } from '../control/control-flags.ts';
import { openControl } from '../control/open-control.ts';
import { untilStopped } from '../control/until-stopped.ts';
import { choose } from '../scaffold/choices.ts';

const actions = { list: ['list', 'ls'], tail: ['tail', 'watch'] } as const;

export const eventsCommand = defineCommand({
  name: 'events',
  summary: 'Lists what the control plane has told, or shows it as it is told, until Ctrl-C.',
  positional: {
    name: 'action',
    usage: '[list | tail]',
    summary: 'list shows the latest, tail those to come',
    maximum: 1,
  },
  flags: {
    type: { kind: 'text', placeholder: 'NAME', summary: 'events of this type only, such as RuntimeDriftDetected' },
    environment: { kind: 'text', placeholder: 'ID', summary: 'those of this environment only' },
    correlation: { kind: 'text', placeholder: 'ID', summary: 'those that belong together under this id' },
    limit: { kind: 'integer', placeholder: 'N', minimum: 1, maximum: 1_000, summary: 'lists so many at most (100)' },
    json: jsonFlag,
    ...controlFlags,
  },
  examples: ['switchyard events', 'switchyard events tail --type RuntimeDriftDetected'],
  async run({ positionals: [word = 'list'], flags }, context) {
    const action = choose<keyof typeof actions>('action', word, actions);
    const client = await openControl(flags, context);
    const { listEvents, tailEvents } = await import('../control/show-events.ts');
    const { type, environment, correlation, json, limit } = flags;
    const of = { type, environment, correlation, json };
    return untilStopped(
      context,
      (signal) =>
        action === 'tail'
          ? tailEvents(client, { ...of, signal }, context)
          : listEvents(client, { ...of, limit, signal }, context),
      { follows: action === 'tail' },
    );
  },
});
