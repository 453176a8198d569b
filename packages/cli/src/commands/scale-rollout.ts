import type { ChangeRollout, StartRollout } from '@switchyard/protocol/control-api';
import { defineCommand } from '../command.ts';
import { controlFlags, jsonFlag } from '../control/control-flags.ts';
import { openControl } from '../control/open-control.ts';
import { requireApp } from '../control/required-words.ts';
import { untilStopped } from '../control/until-stopped.ts';
import { exitCodes } from '../exit-codes.ts';
import { choose } from '../scaffold/choices.ts';

type Action = ChangeRollout['action'] | 'show' | 'start';

const actions: Readonly<Record<Action, readonly string[]>> = {
  show: ['show', 'status'],
  start: ['start'],
  pause: ['pause'],
  resume: ['resume'],
  promote: ['promote'],
  abort: ['abort'],
};

const usage = 'switchyard rollout <app> [start [VERSION] | pause | resume | promote | abort]';

/** How long a step is held when nobody says. */
const defaultHoldSeconds = 60;

export const rolloutCommand = defineCommand({
  name: 'rollout',
  summary: 'Gives the traffic of an app to another version step by step, and back when that does not do well.',
  positional: {
    name: 'words',
    usage: '<app> [start [VERSION] | pause | resume | promote | abort]',
    summary: 'the app and what to do; the latest version when none is named, and the beginning of one is enough',
    maximum: 3,
  },
  flags: {
    'blue-green': { kind: 'switch', summary: 'switches everything at once instead of step by step' },
    steps: {
      kind: 'text',
      placeholder: 'STEPS',
      summary: 'percent and seconds of each step, such as 5:60,25:60,100:30',
    },
    hold: {
      kind: 'integer',
      placeholder: 'SECONDS',
      minimum: 0,
      maximum: 604_800,
      summary: 'holds each step so long that names no time',
      fallback: String(defaultHoldSeconds),
    },
    'max-errors': {
      kind: 'integer',
      placeholder: 'PERCENT',
      minimum: 0,
      maximum: 100,
      summary: 'lets the new version fail so much more often than the old one',
      fallback: '2',
    },
    'max-p99': {
      kind: 'integer',
      placeholder: 'PERCENT',
      minimum: 100,
      maximum: 100_000,
      summary: "lets its p99 be so much of the old one's",
      fallback: '200',
    },
    'minimum-calls': {
      kind: 'integer',
      placeholder: 'COUNT',
      minimum: 1,
      maximum: 1_000_000,
      summary: 'says nothing about a version before so many calls',
      fallback: '20',
    },
    json: jsonFlag,
    ...controlFlags,
  },
  examples: [
    'switchyard rollout shop start',
    'switchyard rollout shop start b71c',
    'switchyard rollout shop start b71c --steps 10:30,50:30,100:60',
    'switchyard rollout shop abort',
  ],
  async run({ positionals: [word, action = 'show', version], flags }, context) {
    const app = requireApp(word, usage);
    const chosen = choose<Action>('action', action, actions);
    const { describeRollout, parseSteps } = await import('../control/scale-words.ts');
    const { latestVersion, resolveVersion } = await import('../control/resolve-version.ts');
    const hold = flags.hold ?? defaultHoldSeconds;
    const steps = flags.steps === undefined ? undefined : parseSteps(flags.steps, hold);
    const client = await openControl(flags, context);
    return untilStopped(context, async (signal) => {
      const path = { app };
      const ask = async () => {
        if (chosen === 'show') return await client.call('getRollout', { path, signal });
        if (chosen !== 'start') return await client.call('changeRollout', { path, body: { action: chosen }, signal });
        const to = resolveVersion(await client.call('getStatus', { path, signal }), version ?? latestVersion);
        return await client.call('startRollout', { path, body: toRequest(to, { ...flags, hold }, steps), signal });
      };
      const answer = await ask();
      context.stdout.write(flags.json ? `${JSON.stringify(answer)}\n` : describeRollout(app, answer));
      return exitCodes.done.code;
    });
  },
});

interface StartFlags {
  readonly 'blue-green': boolean;
  readonly hold: number;
  readonly 'max-errors': number | undefined;
  readonly 'max-p99': number | undefined;
  readonly 'minimum-calls': number | undefined;
}

function toRequest(to: string, flags: StartFlags, steps: StartRollout['steps'] | undefined): StartRollout {
  const errors = flags['max-errors'];
  const p99 = flags['max-p99'];
  const calls = flags['minimum-calls'];
  return {
    to,
    strategy: flags['blue-green'] ? 'blueGreen' : 'canary',
    holdSeconds: flags.hold,
    ...(steps === undefined ? {} : { steps }),
    gate: {
      ...(errors === undefined ? {} : { maxErrorRateIncrease: errors / 100 }),
      ...(p99 === undefined ? {} : { maxP99Ratio: p99 / 100 }),
      ...(calls === undefined ? {} : { minimumCalls: calls }),
    },
  };
}
