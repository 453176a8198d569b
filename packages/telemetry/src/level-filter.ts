import { type LogLevel, logLevels } from '@switchyard/kernel';

/** The least level that passes; `none` lets nothing pass. */
export type MinimumLevel = LogLevel | 'none';

/** Says whether a line of this category and level is wanted. */
export type LevelFilter = (category: string, level: LogLevel) => boolean;

export interface LevelFilterOptions {
  /** `logging.logLevel` of host.json: the level by category prefix; `default` for categories that none names. */
  readonly levels: ReadonlyMap<string, MinimumLevel>;
  /** The level of a category that nothing names. */
  readonly fallback: (category: string) => MinimumLevel;
}

/** Categories seen before have their answer in memory; this many of them. */
const maxRememberedCategories = 1_000;

/**
 * Filters by the longest category prefix that host.json names. A prefix counts as a whole
 * name or up to a dot: `Function.Hello` names `Function.Hello.User` and not `Function.HelloWorld`.
 */
export function createLevelFilter({ levels, fallback }: LevelFilterOptions): LevelFilter {
  const prefixes = [...levels.keys()].filter((key) => key !== 'default').sort((a, b) => b.length - a.length);
  const remembered = new Map<string, number>();
  const thresholdOf = (category: string): number => {
    const prefix = prefixes.find((key) => category === key || category.startsWith(`${key}.`));
    return rank(levels.get(prefix ?? 'default') ?? fallback(category));
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

function rank(level: MinimumLevel): number {
  return level === 'none' ? logLevels.length : logLevels.indexOf(level);
}
