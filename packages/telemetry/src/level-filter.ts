import { type LogLevel, logLevels } from '@switchyard/kernel';

/** The least level that passes; `none` lets nothing pass. */
export type MinimumLevel = LogLevel | 'none';

/** Says whether a line of this category and level is wanted. */
export type LevelFilter = (category: string, level: LogLevel) => boolean;

export interface LevelFilterOptions {
  /** `logging.logLevel` of host.json: the level by the beginning of categories; `default` for those that none names. */
  readonly levels: ReadonlyMap<string, MinimumLevel>;
  /** The level of a category that nothing names. */
  readonly fallback: (category: string) => MinimumLevel;
}

/** Categories seen before have their answer in memory; this many of them. */
const maxRememberedCategories = 1_000;

/**
 * Filters by the longest rule of host.json that fits a category, as the logging of .NET does: a rule is the beginning of
 * categories, in any case, and one star in it stands for anything. `default` fits those that no other rule does.
 */
export function createLevelFilter({ levels, fallback }: LevelFilterOptions): LevelFilter {
  // Of rules that are as long as each other, or the same but for their case, the last one counts.
  const rules = [...levels].reverse().map(([key, level]) => ({ key: key.toLowerCase(), level }));
  const general = rules.find(({ key }) => key === 'default');
  const special = rules.filter(({ key }) => key !== 'default').sort((a, b) => b.key.length - a.key.length);
  const remembered = new Map<string, number>();
  const thresholdOf = (category: string): number => {
    const rule = special.find(({ key }) => fits(key, category.toLowerCase())) ?? general;
    return rank(rule?.level ?? fallback(category));
  };
  return (category, level) => {
    let threshold = remembered.get(category);
    if (threshold === undefined) {
      threshold = thresholdOf(category);
      if (remembered.size < maxRememberedCategories) remembered.set(category, threshold);
    }
    return rank(level) >= threshold;
  };
}

/**
 * What shows on a developer's console when host.json says nothing: functions, and what they print, from Information; the
 * host from Warning.
 */
export function developmentLevel(category: string): MinimumLevel {
  return category.startsWith('Function.') || category === 'Host.Function.Console' ? 'information' : 'warning';
}

function fits(rule: string, category: string): boolean {
  const [beginning = '', end = ''] = rule.split('*', 2);
  return category.startsWith(beginning) && category.endsWith(end);
}

function rank(level: MinimumLevel): number {
  return level === 'none' ? logLevels.length : logLevels.indexOf(level);
}
