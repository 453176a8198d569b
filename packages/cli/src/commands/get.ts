import { type Collection, collections } from '@switchyard/protocol/control-words';
import { defineCommand } from '../command.ts';
import { controlFlags, jsonFlag } from '../control/control-flags.ts';
import { openControl } from '../control/open-control.ts';
import { untilStopped } from '../control/until-stopped.ts';
import { exitCodes } from '../exit-codes.ts';
import { choose } from '../scaffold/choices.ts';

/** Spellings of a collection: its own name. */
const names = new Map(collections.map((name) => [name, [name]] as const));

export const getCommand = defineCommand({
  name: 'get',
  summary: 'Lists what the control plane keeps: environments, services, deployments, findings, health, ...',
  positional: {
    name: 'words',
    usage: '<collection> [id]',
    summary: `one of ${collections.join(', ')}; with an id, that record in full`,
    maximum: 2,
  },
  flags: {
    environment: { kind: 'text', placeholder: 'ID', summary: 'those of this environment only' },
    service: { kind: 'text', placeholder: 'ID', summary: 'those of this service only' },
    state: { kind: 'text', placeholder: 'NAME', summary: 'those in this state only' },
    json: jsonFlag,
    ...controlFlags,
  },
  examples: [
    'switchyard get services',
    'switchyard get findings --state open',
    'switchyard get deployments shop.1 --json',
  ],
  async run({ positionals: [word, id], flags }, context) {
    const collection = choose<Collection>(
      'collection',
      word,
      Object.fromEntries(names) as Record<Collection, [Collection]>,
    );
    const client = await openControl(flags, context);
    const { describeRecords } = await import('../control/show-records.ts');
    return untilStopped(context, async (signal) => {
      const { environment, service, state } = flags;
      const query = { environment, service, state, id };
      const { items } = await client.call('listRecords', { path: { collection }, query, signal });
      if (id !== undefined && items.length === 0 && !flags.json) {
        context.stderr.write(
          `There is no '${id}' among the ${collection}. 'switchyard get ${collection}' lists them.\n`,
        );
        return exitCodes.failed.code;
      }
      if (flags.json) context.stdout.write(`${JSON.stringify({ items })}\n`);
      else if (id !== undefined && items.length === 1) context.stdout.write(`${JSON.stringify(items[0], null, 2)}\n`);
      else context.stdout.write(describeRecords(collection, items));
      return id !== undefined && items.length === 0 ? exitCodes.failed.code : exitCodes.done.code;
    });
  },
});
