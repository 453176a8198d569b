import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FuncFlagSet } from './func-verb.ts';
import { parseFuncArguments } from './parse-func-arguments.ts';

const flags: FuncFlagSet = {
  port: { short: 'p', takes: 'value', placeholder: 'N', summary: '' },
  functions: { takes: 'list', summary: '' },
  'language-worker': { takes: 'raw', placeholder: '"ARGUMENTS"', summary: '' },
  enableAuth: { takes: 'nothing', summary: '' },
  verbose: { takes: 'nothing', summary: '' },
  timeout: { short: 't', takes: 'value', ignored: true, summary: '' },
  debug: { takes: 'nothing', ignored: true, summary: '' },
};

const parse = (...words: string[]) => parseFuncArguments('start', flags, words);

describe('parseFuncArguments', () => {
  it.each<[string, Record<string, unknown>]>([
    ['', {}],
    ['--port 7072', { port: '7072' }],
    ['-p 7072', { port: '7072' }],
    ['--port=7072', { port: '7072' }],
    ['--port:7072', { port: '7072' }],
    ['--PORT 7072 --enableauth', { port: '7072', enableAuth: true }],
    ['--port 1 --port 2', { port: '2' }],
    ['--verbose', { verbose: true }],
    ['--verbose true --enableAuth False', { verbose: true, enableAuth: false }],
    ['--verbose=false', { verbose: false }],
    ['--functions a', { functions: ['a'] }],
    ['--functions a b --verbose', { functions: ['a', 'b'], verbose: true }],
    ['--functions=a b', { functions: ['a', 'b'] }],
    ['--language-worker --inspect=9229', { 'language-worker': '--inspect=9229' }],
    ['--language-worker=--inspect=9229', { 'language-worker': '--inspect=9229' }],
    ['--language-worker -- --inspect=9229', { 'language-worker': '--inspect=9229' }],
    [
      '--language-worker -- --inspect=9229 --trace --port 1',
      { 'language-worker': '--inspect=9229 --trace', port: '1' },
    ],
    ['--language-worker --inspect --verbose', { 'language-worker': '--inspect', verbose: true }],
  ])('understands %j', (line, given) => {
    const words = line === '' ? [] : line.split(' ');
    expect(parse(...words)).toEqual({
      kind: 'parsed',
      positionals: [],
      ignored: [],
      given: new Map(Object.entries(given)),
    });
  });

  it('takes arguments of the language worker that stand in one word', () => {
    const parsed = parse('--language-worker', '--', '--inspect=9229 --enable-source-maps');
    expect(parsed).toMatchObject({ given: new Map([['language-worker', '--inspect=9229 --enable-source-maps']]) });
  });

  it('names what has no effect, once, and keeps its value to itself', () => {
    const parsed = parse('--timeout', '30', '--debug', 'host', '-t', '40');
    expect(parsed).toEqual({
      kind: 'parsed',
      positionals: ['host'],
      ignored: ['--timeout', '--debug'],
      given: new Map(),
    });
  });

  it.each(['--help', '-h', '-?', '--port 1 --HELP', '--help --zzz'])('shows the help for %j', (line) => {
    expect(parse(...line.split(' '))).toEqual({ kind: 'help' });
  });

  it.each([
    ['--prot 1', "There is no flag '--prot'. Did you mean --port? 'func start --help' lists all."],
    ['-x', "There is no flag '-x'. 'func start --help' lists all."],
    ['--__proto__ 1', "There is no flag '--__proto__'. 'func start --help' lists all."],
    ['--port', '--port needs a value: --port N.'],
    ['--port=', '--port needs a value: --port N.'],
    ['--port --verbose', '--port needs a value: --port N.'],
    ['--functions --verbose', '--functions needs a value: --functions VALUE.'],
    ['--language-worker', '--language-worker needs a value: --language-worker "ARGUMENTS".'],
    ['--language-worker -- --port 1', '--language-worker needs a value: --language-worker "ARGUMENTS".'],
    ['--verbose=loud', "--verbose takes true or false, not 'loud'."],
  ])('refuses %j', (line, message) => {
    expect(parse(...line.split(' '))).toEqual({ kind: 'wrong', message });
  });

  it('never throws, and gives every flag that is there a value of its kind', () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom('--port', '-p', '--functions', '--language-worker', '--verbose', '--', '1', '--timeout', 'true'),
    );
    const kinds: Readonly<Record<string, (value: unknown) => boolean>> = {
      port: (value) => typeof value === 'string' && value !== '',
      functions: (value) => Array.isArray(value) && value.length > 0,
      'language-worker': (value) => typeof value === 'string' && value !== '',
      enableAuth: (value) => typeof value === 'boolean',
      verbose: (value) => typeof value === 'boolean',
    };
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (words) => {
        const parsed = parse(...words);
        if (parsed.kind !== 'parsed') return;
        for (const [name, value] of parsed.given) expect(kinds[name]?.(value)).toBe(true);
        for (const positional of parsed.positionals) expect(positional.startsWith('-')).toBe(false);
        for (const name of parsed.ignored) expect(['--timeout', '--debug']).toContain(name);
      }),
    );
  });
});
