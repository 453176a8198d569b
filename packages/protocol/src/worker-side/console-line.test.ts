import { describe, expect, test } from 'vitest';
import { classifyConsoleLine } from './console-line.ts';

describe('classifyConsoleLine', () => {
  test.each([
    ['stdout', 'hello', 'application', 'information', 'hello'],
    ['stdout', 'an error in the text of stdout', 'application', 'information', 'an error in the text of stdout'],
    ['stderr', 'plain', 'application', 'information', 'plain'],
    ['stderr', 'Warning: deprecated', 'application', 'warning', 'Warning: deprecated'],
    ['stderr', 'a warning about an error', 'application', 'warning', 'a warning about an error'],
    ['stderr', 'TypeError: x', 'application', 'error', 'TypeError: x'],
    ['stderr', 'it FAILED', 'application', 'error', 'it FAILED'],
    ['stderr', 'severe', 'application', 'error', 'severe'],
    ['stdout', 'LanguageWorkerConsoleLog started', 'system', 'information', 'started'],
    ['stderr', 'LanguageWorkerConsoleLog[error] no main', 'system', 'error', '[error] no main'],
    ['stdout', 'azfuncjsonlog:{"a":1}', 'tooling', 'information', 'azfuncjsonlog:{"a":1}'],
    ['stdout', '', 'application', 'information', ''],
  ] as const)('%s %j is a line of the %s, %s', (stream, line, origin, level, text) => {
    expect(classifyConsoleLine(stream, line)).toEqual({ origin, level, text });
  });

  test.each([
    ['stdout', 'plain', 'information'],
    ['stderr', 'plain', 'error'],
    ['stderr', 'a warning', 'error'],
  ] as const)('of a worker whose stderr is for errors: %s %j is %s', (stream, line, level) => {
    expect(classifyConsoleLine(stream, line, true).level).toBe(level);
  });
});
