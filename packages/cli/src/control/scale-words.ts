/** What `scale` and `rollout` send and show. */
import type {
  AppScaleView,
  RolloutAnswer,
  ScaleVersionView,
  ScaleView,
  TenantQuota,
  TenantQuotaView,
} from '@switchyard/protocol/control-api';
import { controlErrors } from './errors.ts';
import { toCell, toTable } from './table.ts';

/** The settings of scale that are one number, by how they are written. */
const numbers = [
  'alwaysReady',
  'minimum',
  'maximum',
  'targetConcurrency',
  'targetCpuPercent',
  'perWorkerLimit',
  'stabilizationSeconds',
] as const;

/** Those that are a word. */
const texts = ['region', 'isolation'] as const;

/** Reads `NAME=VALUE` words over what there is. `NAME=` takes a setting back. Throws SCALE_SETTING_INVALID. */
export function toScale(present: AppScaleView, words: readonly string[]): AppScaleView {
  const entries = new Map<string, unknown>(Object.entries(present));
  const targets = new Map(Object.entries(present.functionTargets ?? {}));
  for (const word of words) {
    const [, name = '', value = ''] = /^([^=]+)=(.*)$/s.exec(word) ?? [];
    const [head = '', functionName] = name.split('.', 2);
    const known = [...numbers, 'paused', ...texts].find((one) => one.toLowerCase() === head.toLowerCase());
    if (known === undefined) throw invalid(word, `the settings are ${[...numbers, 'paused', ...texts].join(', ')}`);
    if (functionName !== undefined) {
      if (known !== 'targetConcurrency') throw invalid(word, 'functions have a targetConcurrency of their own alone');
      if (value === '') targets.delete(functionName);
      else targets.set(functionName, toNumber(word, value));
    } else if (value === '') entries.delete(known);
    else if (known === 'region') entries.set(known, value);
    else if (known === 'isolation') entries.set(known, toIsolation(word, value));
    else if (known === 'paused') entries.set(known, toSwitch(word, value));
    else entries.set(known, toNumber(word, value));
  }
  entries.delete('functionTargets');
  if (targets.size > 0) entries.set('functionTargets', Object.fromEntries(targets));
  return Object.fromEntries(entries);
}

/** Reads `workers=COUNT` over what there is; `workers=` takes it back. Throws SCALE_SETTING_INVALID. */
export function toQuota(present: TenantQuota, words: readonly string[]): TenantQuota {
  let { workers } = present;
  for (const word of words) {
    const [, value] = /^workers=(.*)$/is.exec(word) ?? [];
    if (value === undefined) throw invalid(word, "a tenant's quota is workers");
    workers = value === '' ? undefined : toNumber(word, value);
  }
  return workers === undefined ? {} : { workers };
}

export function describeQuota(tenant: string, { quota: { workers: most }, workers }: TenantQuotaView): string {
  const limit = most === undefined ? 'as many workers as they want' : `${most} workers together`;
  return `The apps of tenant '${tenant}' may have ${limit}; ${workers.ready} are ready and ${workers.wanted} wanted.\n`;
}

/** Every version with what is seen, the rule, and the result; then the latest changes. */
export function describeScale(app: string, { scale, versions, changes }: ScaleView): string {
  const said = Object.entries(scale).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const head = `Scale of app '${app}': ${said.length === 0 ? 'nothing was set, so the defaults hold' : said.join(' ')}\n`;
  const shown = versions.length === 0 ? ['\nNo version is hosted.\n'] : versions.map(describeVersion);
  const latest = changes.map(({ at, codeVersion, from, to, rule }) => [at, codeVersion.slice(0, 8), from, to, rule]);
  const table = latest.length === 0 ? '' : `\n${toTable(['CHANGED AT', 'VERSION', 'FROM', 'TO', 'RULE'], latest)}`;
  return [head, ...shown, table].join('');
}

function describeVersion({ codeVersion, weight, workers, signals, limits, decision }: ScaleVersionView): string {
  const { functions } = signals;
  const load = functions.map(({ name, active, eventsPerSecond, durationMs }) => [
    ...[name === '' ? '(waiting)' : name, active, eventsPerSecond.toFixed(1)],
    durationMs === undefined ? '' : `${Math.round(durationMs)} ms`,
  ]);
  const rows: [string, string][] = [
    ['workers', `${workers.ready} ready, ${workers.starting} starting, ${workers.draining} draining`],
    ['load', `${decision.demand} workers' worth now, ${decision.smoothedDemand} on average`],
    ['processors', signals.cpuShare === undefined ? 'not measured' : `${Math.round(signals.cpuShare * 100)} %`],
    ['pressure', `${signals.blockedWorkers} workers blocked, ${signals.refused} invocations refused`],
    ['outside', `${signals.messages} messages${age(signals.oldestMessageMs)}`],
    ['failed starts', String(signals.startFailures)],
    ['quiet for', `${Math.round(signals.quietMs / 1_000)} s`],
    ['limits', `${limits.minimum} to ${limits.maximum}, always ${limits.alwaysReady}${quota(limits.tenantAllowance)}`],
    ['rule', decision.rule],
    ['result', `${decision.target} workers${decision.clamps.length === 0 ? '' : ` (${decision.clamps.join(', ')})`}`],
    ['why', decision.explanation],
  ];
  const lines = rows.map(([name, value]) => `  ${name.padEnd(14)}${value}\n`).join('');
  const table = load.length === 0 ? '' : toTable(['  FUNCTION', 'ACTIVE', 'PER SECOND', 'TAKES'], indent(load));
  return `\nVersion ${codeVersion} (${weight} % of the traffic)\n${lines}${table}`;
}

/** One roll-out, with what has happened. */
export function describeRollout(app: string, answer: RolloutAnswer): string {
  const { strategy, from, to, state, reason, step, steps, health, history } = answer;
  const weight = step === undefined ? undefined : steps[step];
  const at =
    weight === undefined
      ? ''
      : ` at ${weight.weight} % for ${weight.holdSeconds} s (step ${(step ?? 0) + 1} of ${steps.length})`;
  const lines = [
    `Roll-out of app '${app}' (${strategy}) from ${from} to ${to}: ${state}${at}${reason === undefined ? '' : `: ${reason}`}\n`,
    health === undefined ? '' : `  new version: ${health.verdict}: ${health.text}\n`,
  ];
  const table = toTable(
    ['AT', 'WHAT'],
    history.map(({ at: when, text }) => [when, toCell(text)]),
  );
  return [...lines, table].join('');
}

/** Reads `5:60,25:60,100`: percentages, each with the seconds that it is held. Throws SCALE_SETTING_INVALID. */
export function parseSteps(text: string, holdSeconds: number): { weight: number; holdSeconds: number }[] {
  return text.split(',').map((part) => {
    const [, weight = '', seconds] = /^\s*(\d{1,3})%?(?::(\d{1,6}))?\s*$/.exec(part) ?? [];
    if (weight === '' || Number(weight) > 100) {
      throw invalid(text, "steps are written as '5:60,25:60,100:30': percent, and seconds to hold it");
    }
    return { weight: Number(weight), holdSeconds: seconds === undefined ? holdSeconds : Number(seconds) };
  });
}

const age = (ms: number | undefined): string =>
  ms === undefined ? '' : `, the oldest for ${Math.round(ms / 1_000)} s`;

const quota = (left: number | undefined): string => (left === undefined ? '' : `, the tenant's quota leaves ${left}`);

function indent(rows: readonly (readonly (string | number)[])[]): (string | number)[][] {
  return rows.map(([first = '', ...rest]) => [`  ${first}`, ...rest]);
}

function toNumber(word: string, value: string): number {
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw invalid(word, 'the value must be a whole number, 0 or more');
}

function toSwitch(word: string, value: string): boolean {
  if (/^(true|false)$/i.test(value)) return value.toLowerCase() === 'true';
  throw invalid(word, 'the value must be true or false');
}

function toIsolation(word: string, value: string): string {
  if (/^(shared|dedicated)$/i.test(value)) return value.toLowerCase();
  throw invalid(word, 'the value must be shared or dedicated');
}

function invalid(text: string, reason: string): Error {
  return controlErrors.create('SCALE_SETTING_INVALID', { text: text.slice(0, 200), reason });
}
