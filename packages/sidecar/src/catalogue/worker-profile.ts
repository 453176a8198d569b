/**
 * Profiles of a worker.config.json: other descriptions for other surroundings. The first profile whose conditions all
 * hold is laid over the description. A condition that cannot be understood never holds, so its profile is never chosen
 * and the worker still starts; what was wrong with it is kept.
 */
import type { ConfigReader } from './config-reader.ts';
import { type DotnetExpression, parseDotnetExpression } from './dotnet-expression.ts';
import { catalogueLimits } from './limits.ts';
import type { Machine } from './machine.ts';
import type { WorkerDescription } from './worker-config.ts';

export interface WorkerProfile {
  readonly name: string;
  readonly conditions: readonly ProfileCondition[];
  /** Only what the profile changes. */
  readonly description: Partial<WorkerDescription>;
}

/** A question about the surroundings. */
export type ProfileCondition =
  | { readonly kind: 'environment'; readonly name: string; readonly expression: DotnetExpression }
  | { readonly kind: 'hostProperty'; readonly name: HostProperty; readonly expression: DotnetExpression }
  | { readonly kind: 'never'; readonly reason: string };

export type HostProperty = 'sku' | 'platform' | 'hostVersion';

/** What conditions are asked of. */
export interface Surroundings {
  readonly machine: Machine;
  readonly variable: (name: string) => string | undefined;
}

export interface ChosenProfile {
  readonly profile: WorkerProfile | undefined;
  /** What kept a profile from being considered, one sentence each. */
  readonly notes: readonly string[];
}

const hostProperties: Readonly<Record<HostProperty, (surroundings: Surroundings) => string | undefined>> = {
  sku: ({ variable }) => variable('WEBSITE_SKU'),
  platform: ({ machine }) => machine.operatingSystem,
  hostVersion: ({ machine }) => machine.hostVersion,
};

/** Reads the `profiles` of a file. */
export function parseProfiles(
  root: ConfigReader,
  readDescription: (reader: ConfigReader) => Partial<WorkerDescription>,
): readonly WorkerProfile[] {
  return root.sections('profiles', catalogueLimits.profiles).map((reader, index) => {
    const description = reader.section('description');
    const conditions = reader.sections('conditions', catalogueLimits.conditions).map(parseCondition);
    return {
      name: reader.text('profileName') ?? `number ${index + 1}`,
      conditions: conditions.length > 0 ? conditions : [{ kind: 'never', reason: 'it has no conditions' }],
      description: description === undefined ? {} : readDescription(description),
    };
  });
}

/** The first profile whose conditions all hold. */
export function chooseProfile(profiles: readonly WorkerProfile[], surroundings: Surroundings): ChosenProfile {
  const notes: string[] = [];
  for (const profile of profiles) {
    const answers = profile.conditions.map((condition) => ask(condition, surroundings));
    const doubts = answers.filter((answer) => typeof answer === 'string');
    for (const doubt of doubts) notes.push(`Profile '${profile.name}' is not used: ${doubt}.`);
    if (answers.every((answer) => answer === true)) return { profile, notes };
  }
  return { profile: undefined, notes };
}

function parseCondition(reader: ConfigReader): ProfileCondition {
  const type = reader.text('conditionType') ?? '';
  const name = reader.text('conditionName') ?? '';
  const source = reader.text('conditionExpression') ?? '';
  const never = (reason: string): ProfileCondition => ({ kind: 'never', reason });
  if (name === '') return never(`a condition of type '${type}' has no conditionName`);
  const outcome = parseDotnetExpression(source);
  if (outcome.kind === 'invalid') {
    return never(
      `the conditionExpression '${source.slice(0, 80)}' of '${name}' is no regular expression (${outcome.reason})`,
    );
  }
  const { expression } = outcome;
  if (type.toLowerCase() === 'environment') return { kind: 'environment', name, expression };
  if (type.toLowerCase() !== 'hostproperty') {
    return never(`the conditionType '${type}' of '${name}' is neither 'environment' nor 'hostProperty'`);
  }
  const property = (Object.keys(hostProperties) as HostProperty[]).find(
    (known) => known.toLowerCase() === name.toLowerCase(),
  );
  if (property !== undefined) return { kind: 'hostProperty', name: property, expression };
  return never(`the host property '${name}' is none of ${Object.keys(hostProperties).join(', ')}`);
}

/** Whether a condition holds, or why nobody can say. What is not set or empty never matches. */
function ask(condition: ProfileCondition, surroundings: Surroundings): boolean | string {
  if (condition.kind === 'never') return condition.reason;
  const value =
    condition.kind === 'environment'
      ? surroundings.variable(condition.name)
      : hostProperties[condition.name](surroundings);
  if (value === undefined || value === '') return false;
  const match = condition.expression.find(value);
  if (match.kind !== 'too-slow') return match.kind === 'found';
  return `the conditionExpression '${condition.expression.source}' of '${condition.name}' takes too long`;
}
