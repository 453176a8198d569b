import { defineCommand } from '../command.ts';
import { controlFlags, jsonFlag } from '../control/control-flags.ts';
import { controlErrors } from '../control/errors.ts';
import { openControl } from '../control/open-control.ts';
import { untilStopped } from '../control/until-stopped.ts';
import { exitCodes } from '../exit-codes.ts';

export const applyCommand = defineCommand({
  name: 'apply',
  summary: 'Makes a manifest what is desired of an environment: its services, configurations, secrets and policies.',
  flags: {
    file: { kind: 'text', short: 'f', placeholder: 'FILE', summary: 'the manifest; - for what comes on stdin' },
    json: jsonFlag,
    ...controlFlags,
  },
  examples: ['switchyard apply -f switchyard.yaml', 'cat switchyard.yaml | switchyard apply -f -'],
  async run({ flags }, context) {
    const { file } = flags;
    if (file === undefined) {
      const fix = 'examples/switchyard.yaml is one to begin with.';
      throw controlErrors.create('ARGUMENT_MISSING', { what: 'The manifest', usage: 'switchyard apply -f FILE', fix });
    }
    const { readManifest } = await import('../control/read-manifest.ts');
    return untilStopped(context, async (signal) => {
      const body = await readManifest(file, context, signal);
      const client = await openControl(flags, context);
      const applied = await client.call('applyManifest', { path: {}, body, signal });
      const { environmentId, changed } = applied;
      if (flags.json) context.stdout.write(`${JSON.stringify(applied)}\n`);
      else if (changed.length === 0) context.stdout.write(`${environmentId} is as it ought to be already.\n`);
      else
        context.stdout.write(`${[`Applied to ${environmentId}:`, ...changed.map((what) => `  ${what}`)].join('\n')}\n`);
      return exitCodes.done.code;
    });
  },
});
