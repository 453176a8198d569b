import type { JobHostStatus } from '@switchyard/runtime';
import { createMemoryLog } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { createCoreToolsOutput } from './core-tools-output.ts';

const status: JobHostStatus = {
  key: 'shop:dev',
  applicationId: 'shop',
  state: 'active',
  functions: [{ name: 'tick', trigger: 'timerTrigger', disabled: false }],
  rejected: [],
  workers: [],
  versions: [],
};

function open(verbose: boolean) {
  const out: string[] = [];
  const err: string[] = [];
  const log = createMemoryLog();
  const console = { write: (text: string) => out.push(text) };
  const output = createCoreToolsOutput({ console, errors: { write: (text) => err.push(text) }, log, verbose });
  return { output, out, err, log };
}

describe('createCoreToolsOutput', () => {
  it('prints the lines that editors and scripts wait for', () => {
    const { output, out, log } = open(false);
    output.listening('http://localhost:7071');
    output.serving(status, 'http://localhost:7071');
    expect(out.join('')).toBe(
      'Listening on http://localhost:7071.\n\nFunctions:\n\n\ttick: timerTrigger\n\nFor detailed output, run func with --verbose flag.\n',
    );
    expect(log.records.map(({ message }) => message)).toEqual([
      'Job host started',
      "Host lock lease acquired by instance ID '{instanceId}'.",
    ]);
    expect(log.records[1]?.fields.instanceId).toMatch(/^0{24}[0-9A-F]{8}$/);
  });

  it('gives the same instance id again', () => {
    const ids = [open(false), open(true)].map(({ output, log }) => {
      output.serving(status, '');
      return log.records[1]?.fields.instanceId;
    });
    expect(ids[0]).toBe(ids[1]);
  });

  it('recommends --verbose to nobody who uses it', () => {
    const { output, out } = open(true);
    output.serving(status, '');
    expect(out.join('')).not.toContain('--verbose');
  });

  it('tells notes, keys, failures and the end', () => {
    const { output, out, err, log } = open(false);
    output.keysIn('/data/keys.json');
    output.note('shop', 'a note');
    output.ready(12);
    output.failed(new Error('the app is broken'));
    output.stopping();
    expect(out).toEqual(['Function keys are in /data/keys.json\n', 'a note\n']);
    expect(err).toEqual(['the app is broken\n']);
    expect(log.records).toMatchObject([{ message: 'Stopping host...' }]);
  });
});
