import type { JobHostStatus } from '@switchyard/runtime';
import { createMemoryLog } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { createLogOutput, createTextOutput, type DevOutput } from './dev-output.ts';

const status: JobHostStatus = {
  key: 'shop:dev',
  applicationId: 'shop',
  state: 'active',
  functions: [
    {
      name: 'hello',
      trigger: 'httpTrigger',
      disabled: false,
      route: { template: 'api/hello', methods: ['GET'], authLevel: 'anonymous' },
    },
  ],
  rejected: [],
  workers: [],
  versions: [],
};

function tellAll(output: DevOutput): void {
  output.listening('http://localhost:7071');
  output.keysIn('/data/keys.json');
  output.note('shop', 'a note');
  output.serving(status, 'http://localhost:7071');
  output.failed(new Error('the other one is broken'));
  output.ready(123.4);
  output.stopping();
}

function text(severalApps: boolean, showsCurlLines: boolean) {
  const written: string[] = [];
  const errors: string[] = [];
  const console = { write: (line: string) => written.push(line) };
  tellAll(createTextOutput({ console, errors: { write: (line) => errors.push(line) }, severalApps, showsCurlLines }));
  return { out: written.join(''), err: errors.join('') };
}

describe('createTextOutput', () => {
  it('tells one app as the official tools do', () => {
    const { out, err } = text(false, false);
    expect(out).toContain('Listening on http://localhost:7071.');
    expect(out).toContain('Function keys are in /data/keys.json\na note\n');
    expect(out).toContain('\nFunctions:\n\n\thello: [GET] http://localhost:7071/api/hello\n');
    expect(out).toContain('\nReady after 123 ms.\n');
    expect(out).not.toContain('curl');
    expect(err).toBe('the other one is broken\n');
  });

  it('names the app when there are several, and ends with what to try when asked', () => {
    const { out } = text(true, true);
    expect(out).toContain('shop: a note\n');
    expect(out).toContain('\nFunctions of shop:\n');
    expect(out).toContain('Try:\n\tcurl http://localhost:7071/api/hello\n');
  });
});

describe('createLogOutput', () => {
  it('tells the same as log records', () => {
    const log = createMemoryLog();
    tellAll(createLogOutput(log));
    expect(log.records.map(({ message }) => message)).toEqual([
      'Listening',
      'Function keys',
      'Note',
      'Functions',
      'App not started',
      'Ready',
      'Stopping',
    ]);
    expect(log.withMessage('Functions')).toMatchObject([
      { fields: { applicationId: 'shop', url: 'http://localhost:7071', functions: status.functions } },
    ]);
  });
});
