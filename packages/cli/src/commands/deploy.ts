import { type CommandContext, defineCommand, type FlagValues } from '../command.ts';
import { controlFlags, jsonFlag } from '../control/control-flags.ts';
import { openControl } from '../control/open-control.ts';
import { untilStopped } from '../control/until-stopped.ts';

const flags = {
  app: { kind: 'text', placeholder: 'NAME', short: 'a', summary: "the app's name (the folder's, as a DNS label)" },
  tenant: { kind: 'text', placeholder: 'NAME', summary: "the tenant of a new app ('default')" },
  message: { kind: 'text', placeholder: 'TEXT', short: 'm', summary: 'what people should know of this version' },
  stack: {
    kind: 'text',
    placeholder: 'RUNTIME[:VERSION]',
    summary: 'what it runs on (as its settings and files tell)',
  },
  'settings-from': {
    kind: 'text',
    placeholder: 'FILE',
    summary: 'sets the settings that this file names, local.settings.json for example',
  },
  build: { kind: 'switch', summary: "runs 'npm run build' in the folder first" },
  'no-promote': { kind: 'switch', summary: 'leaves the version without traffic, once it is ready' },
  json: jsonFlag,
  ...controlFlags,
} as const;

export type DeployFlags = FlagValues<typeof flags>;

export const deployCommand = defineCommand({
  name: 'deploy',
  summary: 'Packs the folder of an app and deploys it to a running platform.',
  positional: { name: 'folder', usage: '[folder]', summary: 'the folder with host.json; the current one', maximum: 1 },
  flags,
  examples: [
    'switchyard deploy shop',
    'switchyard deploy shop --tenant contoso --settings-from local.settings.json',
    'switchyard deploy . --app shop-next --build --message "new prices"',
  ],
  async run({ positionals: [folder = '.'], flags: given }, context: CommandContext) {
    const { deployFolder } = await import('../control/deploy-folder.ts');
    const client = await openControl(given, context);
    let interrupted = 'Stopped; nothing was deployed.';
    const onDeploying = (text: string) => {
      interrupted = text;
    };
    return untilStopped(context, (signal) => deployFolder(client, folder, given, { context, onDeploying, signal }), {
      interrupted: () => interrupted,
    });
  },
});
