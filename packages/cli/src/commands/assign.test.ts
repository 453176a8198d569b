import { describe, expect, it } from 'vitest';
import { runSwitchyard } from '../run-switchyard.ts';
import { runInMemory } from '../testing/run-in-memory.ts';
import { assignCommand } from './assign.ts';

const run = (...words: readonly string[]) =>
  runInMemory((given, context) => runSwitchyard(given, [assignCommand], context), ['assign', ...words], {});

const sidecar = ['--sidecar', 'http://127.0.0.1:9'];

describe('switchyard assign', () => {
  it.each([
    ['no app', [...sidecar], 'The app is missing: switchyard assign <app>'],
    ['no sidecar', ['shop', '--script-root', '/a'], 'No sidecar is named'],
    ['an address that is none', ['shop', '--script-root', '/a', '--sidecar', 'localhost'], 'no address'],
    ['no content', ['shop', ...sidecar], 'Say where the app is'],
    ['two contents', ['shop', ...sidecar, '--script-root', '/a', '--package', 'http://p'], 'Say where the app is'],
    ['a package without its hash', ['shop', ...sidecar, '--package', 'http://p'], '--package needs --sha256'],
    ['a tenant that is none', ['shop', ...sidecar, '--script-root', '/a', '--tenant', 'A B'], 'no name of a tenant'],
  ])('says what is wrong with %s', async (_, words, text) => {
    const { exitCode, err } = await run(...words);
    expect([exitCode, err]).toEqual([2, expect.stringContaining(text)]);
  });
});
