import { type LogFields, type LogLevel, Secret } from '@switchyard/kernel';
import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { type ConsoleLogOptions, createConsoleLog, wantsColors } from './console-log.ts';

const stamp = '[2024-01-01T00:00:00.000Z]';

function open(options: Partial<ConsoleLogOptions> = {}) {
  const written: string[] = [];
  const log = createConsoleLog(
    { clock: new VirtualClock(), sink: { write: (text) => written.push(text) } },
    { colors: false, showApplication: false, isWanted: () => true, ...options },
  );
  return { log, written };
}

function line(
  message: string,
  fields?: LogFields,
  options?: Partial<ConsoleLogOptions>,
  level: LogLevel = 'information',
) {
  const { log, written } = open(options);
  log.write(level, message, fields);
  return written.join('');
}

describe('createConsoleLog', () => {
  it('writes the format of the official tools', () => {
    expect(line('Host started')).toBe(`${stamp} Host started\n`);
  });

  it('fills the message from the fields, which then do not stand there twice', () => {
    const fields = { functionName: 'Hello', invocationId: 'i-1', durationMs: 12 };
    expect(line("Executed 'Functions.{functionName}' (Id={invocationId}, {missing})", fields)).toBe(
      `${stamp} Executed 'Functions.Hello' (Id=i-1, {missing}) durationMs=12\n`,
    );
  });

  it('names function and invocation behind a user line, and leaves the category out', () => {
    const fields = { category: 'Function.Hello.User', functionName: 'Hello', invocationId: 'i-1' };
    expect(line('it rains', fields)).toBe(`${stamp} it rains [Hello i-1]\n`);
  });

  it('leaves what an app wrote as it is, braces and all', () => {
    const user = { category: 'Function.Hello.User', functionName: 'Hello', workerId: 'w-1' };
    expect(line('{functionName} {workerId}', user)).toBe(`${stamp} {functionName} {workerId} [Hello]\n`);
    const printed = { category: 'Host.Function.Console', workerId: 'w-1' };
    expect(line('{workerId}', printed)).toBe(`${stamp} {workerId}\n`);
  });

  it('puts the stack of an exception below the line, unless the message holds it', () => {
    const fields = { functionName: 'Hello', exception: 'Error: no\n    at here' };
    expect(line('It failed', fields)).toBe(`${stamp} It failed [Hello]\nError: no\n    at here\n`);
    expect(line('It failed\n{exception}', fields)).toBe(`${stamp} It failed [Hello]\nError: no\n    at here\n`);
  });

  it('quotes values whose end would be unclear', () => {
    expect(line('odd', { text: 'two words', empty: '', list: [1, 2], undefined: undefined })).toBe(
      `${stamp} odd text="two words" empty="" list="[ 1, 2 ]"\n`,
    );
  });

  it('puts the app before the text when several share the console', () => {
    expect(line('ready', { applicationId: 'shop' }, { showApplication: true })).toBe(`${stamp} shop: ready\n`);
    expect(line('ready', { applicationId: 'shop' })).toBe(`${stamp} ready\n`);
  });

  it('keeps the lines of a stack together, with the notes behind the first', () => {
    expect(line('boom\n    at here', { functionName: 'Hello' })).toBe(`${stamp} boom [Hello]\n    at here\n`);
  });

  it('never prints a secret', () => {
    expect(line('key {key}', { key: new Secret('hunter2'), nested: { key: new Secret('hunter2') } })).not.toContain(
      'hunter2',
    );
  });

  it('is not fooled by names that objects carry by nature', () => {
    expect(line('{constructor} {__proto__}')).toBe(`${stamp} {constructor} {__proto__}\n`);
  });

  it('colours warnings and errors, and each line of them, when asked', () => {
    expect(line('careful', {}, { colors: true }, 'warning')).toContain('\u001b[33mcareful\u001b[0m');
    expect(line('boom\n at here', {}, { colors: true }, 'error')).toContain('\u001b[31m at here\u001b[0m');
  });

  it('gives children the fields of their parents, and asks the filter with all of them', () => {
    const asked: LogFields[] = [];
    const isWanted = (_level: LogLevel, fields: LogFields): boolean => {
      asked.push(fields);
      return fields.b !== 3;
    };
    const { log, written } = open({ isWanted });
    const child = log.child({ a: 1, b: 1 }).child({ b: 2 });
    child.write('error', 'kept');
    child.write('error', 'dropped', { b: 3 });
    expect(asked).toEqual([
      { a: 1, b: 2 },
      { a: 1, b: 3 },
    ]);
    expect(written).toEqual([`${stamp} kept a=1 b=2\n`]);
  });
});

describe('wantsColors', () => {
  it.each([
    [true, {}, true],
    [true, { NO_COLOR: '' }, true],
    [true, { NO_COLOR: '1' }, false],
    [true, { TERM: 'dumb' }, false],
    [false, {}, false],
  ])('terminal %s with %j: %s', (isTerminal, environment, expected) => {
    expect(wantsColors(isTerminal, environment)).toBe(expected);
  });
});
