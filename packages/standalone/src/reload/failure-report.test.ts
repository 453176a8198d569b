import { join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeFailure, failureKey, findPlace } from './failure-report.ts';

const directory = join(sep, 'home', 'me', 'my shop', 'app');
const plain = join(sep, 'srv', 'app');
const file = (path: string, root = plain): string => join(root, ...path.split('/'));

describe('findPlace', () => {
  it.each([
    ['a frame of an ES module', `    at ${pathToFileURL(file('src/a.js')).href}:3:9`, 'src/a.js:3:9'],
    ['a frame of a script', `    at Object.<anonymous> (${file('src/a.js')}:12:1)`, 'src/a.js:12:1'],
    ['the head of a syntax error', `${file('a.js')}:3\nconst a = ;`, 'a.js:3'],
    ['a traceback of Python', `  File "${file('function_app.py')}", line 7, in <module>`, 'function_app.py:7'],
    ['a place in words', `${file('host.json')} is not valid JSON: oh (line 3, column 2).`, 'host.json:3:2'],
    ['a file alone', `${file('host.json')} cannot be used.`, 'host.json'],
    ['a file at the end of a sentence', `No file matches "main" of ${file('package.json')}. Build it.`, 'package.json'],
    ['a file in a folder with a blank', `    at f (${file('my src/a (1).js')}:2:2)`, 'my src/a (1).js:2:2'],
    ['the second frame', `    at ${file('node_modules/x/i.js')}:1:1\n    at ${file('a.js')}:2:2`, 'a.js:2:2'],
  ])('finds %s', (_what, text, place) => {
    expect(findPlace(text, plain)).toBe(place);
  });

  it.each(['my shop', 'grüße', '[x] (1)'])('finds a frame of an app in a folder that is called %j', (name) => {
    const home = join(sep, 'home', name);
    expect(findPlace(`    at Object.<anonymous> (${join(home, 'src', 'a.js')}:3:9)`, home)).toBe('src/a.js:3:9');
    expect(findPlace(`    at ${pathToFileURL(join(home, 'src', 'a.js')).href}:3:9`, home)).toBe('src/a.js:3:9');
  });

  it('knows a file URL with escapes', () => {
    const url = pathToFileURL(file('src/a.js', directory)).href;
    expect(findPlace(`    at ${url}:3:9`, directory)).toBe('src/a.js:3:9');
  });

  it.each([
    ['no path', 'it broke'],
    ['a file elsewhere', `    at ${join(sep, 'opt', 'other', 'a.js')}:3:9`],
    ['Node itself', '    at node:internal/modules/cjs/loader:1861:18'],
    ['an installed package', `    at ${file('node_modules/x/index.js')}:3:9`],
    ['the folder itself', `${plain} holds nothing`],
  ])('finds nothing in %s', (_what, text) => {
    expect(findPlace(text, plain)).toBeUndefined();
  });

  it('takes any text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(typeof describeFailure(text, plain).text).toBe('string');
      }),
    );
  });
});

describe('describeFailure', () => {
  it('says everything once, and leaves out frames that are not the app’s', () => {
    const text = [
      "The worker of app 'shop' could not list its functions: no coffee. Its last output was:",
      '  Error: no coffee',
      '      at compileSourceTextModule (node:internal/modules/esm/utils:319:16)',
      `      at ${file('node_modules/lib/index.js')}:1:1`,
      `      at brew (${file('src/brew.js')}:3:7)`,
      '',
    ].join('\n');
    expect(describeFailure(text, plain)).toEqual({
      place: 'src/brew.js:3:7',
      text: `The worker of app 'shop' could not list its functions: no coffee.\n      at brew (${file('src/brew.js')}:3:7)`,
    });
  });

  it('fits on a screen', () => {
    const text = Array.from({ length: 100 }, (_, index) => `problem <${index}>`).join('\n');
    const lines = describeFailure(text, plain).text.split('\n');
    expect(lines).toHaveLength(31);
    expect(lines.at(-1)).toBe('... and 70 more lines');
  });
});

describe('failureKey', () => {
  it('does not see ids and durations', () => {
    const of = (text: string): string => failureKey({ place: undefined, text });
    expect(of('worker 5a2a4694-5c23-4dd2-bbfe-0382d74bc73b after 12 ms')).toBe(
      of('worker aac04970-be3a-418e-bab6-1270bdf840a1 after 345 ms'),
    );
    expect(of('one')).not.toBe(of('two'));
    expect(failureKey({ place: 'a:1', text: 'x' })).not.toBe(failureKey({ place: 'a:2', text: 'x' }));
  });
});
