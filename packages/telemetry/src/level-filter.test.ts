import { type LogLevel, logLevels } from '@switchyard/kernel';
import { describe, expect, it } from 'vitest';
import { createLevelFilter, developmentLevel, type MinimumLevel } from './level-filter.ts';

/** The lowest level that passes, or none. */
function lowest(levels: Record<string, MinimumLevel>, category: string): LogLevel | undefined {
  const isWanted = createLevelFilter({ levels: new Map(Object.entries(levels)), fallback: developmentLevel });
  return logLevels.find((level) => isWanted(category, level));
}

describe('createLevelFilter', () => {
  it.each<[string, Record<string, MinimumLevel>, string, LogLevel | undefined]>([
    ['functions from Information when nothing is said', {}, 'Function.Hello.User', 'information'],
    ['what functions print from Information', {}, 'Host.Function.Console', 'information'],
    ['the host from Warning when nothing is said', {}, 'Host.Startup', 'warning'],
    ['everything by default when only that is said', { default: 'error' }, 'Function.Hello.User', 'error'],
    ['the longest prefix', { Function: 'error', 'Function.Hello': 'trace' }, 'Function.Hello.User', 'trace'],
    ['a prefix over the default', { default: 'trace', Host: 'critical' }, 'Host.Results', 'critical'],
    ['the beginning of a name', { 'Function.Hello': 'error' }, 'Function.HelloWorld', 'error'],
    ['names in any case', { DEFAULT: 'critical', 'FUNCTION.hello': 'debug' }, 'Function.Hello.User', 'debug'],
    ['the default in any case', { Default: 'critical' }, 'Host.Startup', 'critical'],
    ['a star in a rule', { default: 'error', 'Function.*.User': 'debug' }, 'Function.Hello.User', 'debug'],
    ['a star that does not fit', { default: 'error', 'Function.*.User': 'debug' }, 'Function.Hello', 'error'],
    ['the last of the same rule', { host: 'debug', Host: 'error' }, 'Host.Startup', 'error'],
    ['nothing at all for none', { 'Host.Results': 'none' }, 'Host.Results', undefined],
    ['names that objects carry by nature', { default: 'error' }, '__proto__', 'error'],
  ])('follows %s', (_what, levels, category, expected) => {
    expect(lowest(levels, category)).toBe(expected);
  });

  it('answers the same for the same category', () => {
    const isWanted = createLevelFilter({ levels: new Map([['Host', 'error']]), fallback: developmentLevel });
    const ask = (): boolean => isWanted('Host.Startup', 'warning');
    expect([ask(), ask(), isWanted('Host.Startup', 'error')]).toEqual([false, false, true]);
  });
});
