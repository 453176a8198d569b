import { StreamingMessage } from '@switchyard/protocol';
import { describe, expect, it } from 'vitest';
import { toConsoleFrame } from './console-frame.ts';

describe('toConsoleFrame', () => {
  it.each([
    ['stdout', 'hello', false, { level: 2, message: 'hello', logCategory: 0 }],
    ['stderr', 'TypeError: x', false, { level: 4, message: 'TypeError: x', logCategory: 0 }],
    ['stderr', 'plain', true, { level: 4, message: 'plain', logCategory: 0 }],
    ['stdout', 'LanguageWorkerConsoleLog up', false, { level: 2, message: 'up', logCategory: 1 }],
  ] as const)('%s %j becomes a log line', (stream, line, stderrIsError, expected) => {
    const { content } = StreamingMessage.decode(toConsoleFrame(stream, line, stderrIsError));
    expect(content).toMatchObject({ $case: 'rpcLog', value: { category: 'Host.Function.Console', ...expected } });
  });
});
