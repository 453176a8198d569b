import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineCommand } from './command.ts';
import { parseArguments } from './parse-arguments.ts';

const command = defineCommand({
  name: 'dev',
  summary: '',
  positional: { name: 'path', summary: '', maximum: 2 },
  flags: {
    port: { kind: 'integer', placeholder: 'N', short: 'p', minimum: 0, maximum: 65_535, summary: '' },
    host: { kind: 'text', placeholder: 'ADDRESS', summary: '' },
    verbose: { kind: 'switch', summary: '' },
    header: { kind: 'list', placeholder: 'TEXT', short: 'H', summary: '' },
    secret: { kind: 'switch', hidden: true, summary: '' },
  },
  examples: [],
  run: () => Promise.resolve(0),
});

const parse = (line: string) => parseArguments(command, line === '' ? [] : line.split(' '));

describe('parseArguments', () => {
  it.each([
    ['', [], {}],
    ['one two', ['one', 'two'], {}],
    ['--port 80', [], { port: 80 }],
    ['--port=0', [], { port: 0 }],
    ['one -p 80 two', ['one', 'two'], { port: 80 }],
    ['-p=80', [], { port: 80 }],
    ['--host=a=b', [], { host: 'a=b' }],
    ['--host -', [], { host: '-' }],
    ['--verbose one', ['one'], { verbose: true }],
    ['--verbose=true', [], { verbose: true }],
    ['--verbose=false', [], { verbose: false }],
    ['--secret', [], { secret: true }],
    ['-- --port', ['--port'], {}],
    ['-H a --header=b one -H c', ['one'], { header: ['a', 'b', 'c'] }],
    ['-', ['-'], {}],
  ])('understands %j', (line, positionals, given) => {
    expect(parse(line)).toEqual({ kind: 'parsed', positionals, given: new Map(Object.entries(given)) });
  });

  it.each([
    ['--prot 80', "There is no flag '--prot'. Did you mean --port? 'switchyard dev --help' lists all."],
    ['--zzz', "There is no flag '--zzz'. 'switchyard dev --help' lists all."],
    ['-x', "There is no flag '-x'. 'switchyard dev --help' lists all."],
    ['--__proto__ 1', "There is no flag '--__proto__'. 'switchyard dev --help' lists all."],
    ['--secre', "There is no flag '--secre'. 'switchyard dev --help' lists all."],
    ['--port', '--port needs a value: --port N.'],
    ['--port=', '--port needs a value: --port N.'],
    ['--host --verbose', '--host needs a value: --host ADDRESS.'],
    ['--port abc', "--port must be a whole number from 0 to 65535, not 'abc'."],
    ['--port 65536', "--port must be a whole number from 0 to 65535, not '65536'."],
    ['--port 1.5', "--port must be a whole number from 0 to 65535, not '1.5'."],
    ['--port 1 -p 2', '--port is given twice. Give it once.'],
    ['--verbose=yes', "--verbose takes no value. Leave '=yes' out."],
    ['a b c', "'c' is too much: 'switchyard dev' takes at most 2 paths."],
  ])('refuses %j', (line, message) => {
    expect(parse(line)).toEqual({ kind: 'wrong', message });
  });

  it.each(['--help', '-h', 'one --port 80 --help', '--help --zzz'])('shows the help for %j', (line) => {
    expect(parse(line)).toEqual({ kind: 'help' });
  });

  it('never throws, and gives every flag that is there a value of its kind', () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom('--port', '-p', '-H', '--header=1', '--host', '--verbose', '--', '1', '--port=1'),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (words) => {
        const parsed = parseArguments(command, words);
        if (parsed.kind !== 'parsed') return;
        expect(['boolean', 'undefined']).toContain(typeof parsed.given.get('verbose'));
        expect(['object', 'undefined']).toContain(typeof parsed.given.get('header'));
        expect(['number', 'undefined']).toContain(typeof parsed.given.get('port'));
        expect(['string', 'undefined']).toContain(typeof parsed.given.get('host'));
      }),
    );
  });
});
