import { defineCommand } from '../command.ts';
import { controlFlags, jsonFlag } from '../control/control-flags.ts';
import { controlErrors } from '../control/errors.ts';
import { openControl } from '../control/open-control.ts';
import { untilStopped } from '../control/until-stopped.ts';
import { exitCodes } from '../exit-codes.ts';
import { choose } from '../scaffold/choices.ts';

const usage = 'switchyard deployments [list | start <service> <version> | rollback <service>]';

const actions = { list: ['list', 'ls'], start: ['start'], rollback: ['rollback'] } as const;

export const deploymentsCommand = defineCommand({
  name: 'deployments',
  summary: 'Lists the deployments of services, starts one, or rolls a service back by one.',
  positional: {
    name: 'words',
    usage: '[list | start <service> <version> | rollback <service>]',
    summary: 'what to do, and with which service',
    maximum: 3,
  },
  flags: {
    service: { kind: 'text', placeholder: 'ID', summary: 'lists those of this service only' },
    json: jsonFlag,
    ...controlFlags,
  },
  examples: [
    'switchyard deployments',
    'switchyard deployments start shop 3f2a1b0c9d8e7f60',
    'switchyard deployments rollback shop',
  ],
  async run({ positionals: [word = 'list', service, version], flags }, context) {
    const action = choose<keyof typeof actions>('action', word, actions);
    const require = (value: string | undefined, what: string): string => {
      if (value !== undefined) return value;
      throw controlErrors.create('ARGUMENT_MISSING', {
        what,
        usage,
        fix: "'switchyard get services' lists all services.",
      });
    };
    const serviceId = action === 'list' ? undefined : require(service, 'The service');
    const client = await openControl(flags, context);
    const { describeRecords } = await import('../control/show-records.ts');
    return untilStopped(context, async (signal) => {
      const path = { service: serviceId ?? '' };
      const query = { service: flags.service };
      const items =
        action === 'list'
          ? (await client.call('listRecords', { path: { collection: 'deployments' }, query, signal })).items
          : action === 'start'
            ? [
                await client.call('startServiceDeployment', {
                  path,
                  body: { version: require(version, 'The version') },
                  signal,
                }),
              ]
            : [await client.call('rollBackService', { path, body: {}, signal })];
      context.stdout.write(flags.json ? `${JSON.stringify({ items })}\n` : describeRecords('deployments', items));
      return exitCodes.done.code;
    });
  },
});
