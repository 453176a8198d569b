import { createMemoryLog } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { createStatus } from '../testing/versions.ts';
import { createLogReloadOutput, createTextReloadOutput, type Reloaded, type ReloadOutput } from './reload-output.ts';

function text(severalApps = false) {
  const out: string[] = [];
  const err: string[] = [];
  const output = createTextReloadOutput({
    console: { write: (line) => out.push(line) },
    errors: { write: (line) => err.push(line) },
    severalApps,
  });
  return { output, out: () => out.join(''), err: () => err.join('') };
}

const reloaded = (given: Partial<Reloaded> = {}): Reloaded => ({
  status: createStatus(['hello', 'bye'], { rejected: [{ name: 'odd', reason: 'no trigger' }] }),
  baseUrl: 'http://localhost:7071',
  durationMs: 243.4,
  paths: ['src/a.js'],
  more: 0,
  added: [],
  removed: [],
  ...given,
});
const report = { place: 'src/a.js:3', text: "SyntaxError: Unexpected token ';'\nconst a = ;\n          ^" };

describe('createTextReloadOutput', () => {
  it('tells a reload in one line, with what has changed', () => {
    const { output, out } = text();
    output.reloaded(reloaded());
    output.reloaded(reloaded({ paths: ['a', 'b', 'c', 'd'], more: 7 }));
    output.reloaded(reloaded({ paths: [] }));
    expect(out().split('\n')).toEqual([
      'app reloaded in 243 ms (src/a.js)',
      'app reloaded in 243 ms (a, b, c and 8 more)',
      'app reloaded in 243 ms',
      '',
    ]);
  });

  it('lists new functions with their URLs, and names those that went', () => {
    const { output, out } = text(true);
    const { functions } = createStatus(['bye']);
    output.reloaded(reloaded({ added: functions, removed: ['old', 'older'] }));
    expect(out()).toContain('shop: app reloaded in 243 ms (src/a.js)\n');
    expect(out()).toContain('\nshop: New functions:\n\n\tbye: http://localhost:7071/api/bye\n');
    expect(out()).not.toContain('odd');
    expect(out()).toContain('shop: Removed functions: old, older\n');
  });

  it('tells a failure with its place and the code, and what goes on', () => {
    const { output, err } = text();
    output.failed('shop', report, true);
    expect(err()).toBe(
      [
        '',
        "app not reloaded: src/a.js:3 - SyntaxError: Unexpected token ';'",
        '  const a = ;',
        '            ^',
        '  The last good version goes on serving.',
        '',
        '',
      ].join('\n'),
    );
  });

  it('says what to do about an app that does not start at all', () => {
    const { output, err } = text(true);
    output.failed('shop', { place: undefined, text: 'no coffee' }, false);
    output.failedAgain('shop', report);
    output.compiled('shop', ['a.ts:1:2 - error TS1: oh', 'b.ts:1:2 - error TS1: oh']);
    expect(err()).toContain('shop: app not started: no coffee\n  It is tried again when a file changes.\n');
    expect(err()).toContain('shop: app not reloaded: the same error (src/a.js:3)\n');
    expect(err()).toContain('shop: a.ts:1:2 - error TS1: oh\nb.ts:1:2 - error TS1: oh\n');
  });
});

describe('createLogReloadOutput', () => {
  it('tells the same as log records', () => {
    const log = createMemoryLog();
    const output: ReloadOutput = createLogReloadOutput(log);
    output.reloaded(reloaded({ removed: ['old'] }));
    output.failed('shop', report, true);
    output.failed('shop', report, false);
    output.failedAgain('shop', report);
    output.compiled('shop', ['a.ts:1:2 - error TS1: oh']);
    expect(log.records.map(({ level, message }) => `${level} ${message}`)).toEqual([
      'information App reloaded',
      'error App not reloaded',
      'error App not started',
      'warning App not reloaded for the same reason',
      'error App not compiled',
    ]);
    expect(log.records[0]?.fields).toMatchObject({
      applicationId: 'shop',
      jobHost: 'shop:dev-1',
      durationMs: 243,
      changed: ['src/a.js'],
      removed: ['old'],
    });
    expect(log.records[1]?.fields).toMatchObject({ place: 'src/a.js:3', error: report.text });
  });
});
