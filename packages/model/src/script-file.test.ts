import { describe, expect, it } from 'vitest';
import { findScriptFile, languageOf } from './script-file.ts';

const find = (files: string[], named?: string) => findScriptFile({ directory: '/app/Hello', files }, named, 'W');

describe('findScriptFile', () => {
  it.each([
    [['function.json', 'anything.js'], undefined, '/app/Hello/anything.js'],
    [['Function.JSON', 'only.py'], undefined, '/app/Hello/only.py'],
    [['a.js', 'index.js', 'function.json'], undefined, '/app/Hello/index.js'],
    [['a.js', 'INDEX.mjs'], undefined, '/app/Hello/INDEX.mjs'],
    [['a.js', 'index.cjs'], undefined, '/app/Hello/index.cjs'],
    [['a.py', '__init__.py'], undefined, '/app/Hello/__init__.py'],
    [['profile.ps1', 'run.ps1'], undefined, '/app/Hello/run.ps1'],
    [['a.js', 'b.js'], 'b.js', '/app/Hello/b.js'],
    [['function.json'], '../dist/hello.js', '/app/dist/hello.js'],
    [['function.json'], '/abs/hello.js', '/abs/hello.js'],
    [['a.js', 'b.js', 'run.js'], '', '/app/Hello/run.js'],
  ])('finds the script among %j (named %s)', (files, named, expected) => {
    expect(find(files, named)).toBe(expected);
  });

  it.each([
    [['function.json'], undefined, 'the folder has no other file'],
    [['a.js', 'b.js'], undefined, "none of the folder's files stands out"],
    [['a.js'], 'missing.js', 'its "scriptFile" is "missing.js", and the folder has no such file'],
  ])('says what is missing among %j (named %s)', (files, named, message) => {
    expect(() => find(files, named)).toThrow(message);
    expect(() => find(files, named)).toThrow(/^W leads to no script/);
  });
});

describe('languageOf', () => {
  it.each([
    ['a.js', 'node'],
    ['a.MJS', 'node'],
    ['a.cjs', 'node'],
    ['a.py', 'python'],
    ['a.jar', 'java'],
    ['a.ps1', 'powershell'],
  ])('%s is %s', (file, language) => {
    expect(languageOf(`/x/${file}`, '', 'W')).toBe(language);
    expect(languageOf(`/x/${file}`, language, 'W')).toBe(language);
  });

  it('takes the runtime for what it does not know, and for custom handlers', () => {
    expect(languageOf('/x/a.rb', 'ruby', 'W')).toBe('ruby');
    expect(languageOf('/x/a.js', 'custom', 'W')).toBe('custom');
  });

  it('says what does not fit', () => {
    expect(() => languageOf('/x/a.rb', '', 'W')).toThrow('the language of a.rb is not known by its extension');
    expect(() => languageOf('/x/a.py', 'node', 'W')).toThrow(
      'a.py is a script for python, but FUNCTIONS_WORKER_RUNTIME is node',
    );
  });
});
