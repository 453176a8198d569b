import type { PlaceholderGrant, WorkerGrant } from '@switchyard/identity';
import type { JobHostStatus, WorkerStatus } from '@switchyard/runtime';
import { describe, expect, it } from 'vitest';
import { isWanted } from './wanted-workers.ts';

const definition = { applicationId: 'shop', metadataVersion: 'm1', codeVersion: 'c1' };
const language = { language: 'node', languageVersion: '24', instanceId: 'here' };
const worker = (workerId: string, state: string): WorkerStatus => ({
  workerId,
  state,
  inFlight: 0,
  runtimeName: 'node',
  runtimeVersion: '24',
});

const jobHost: JobHostStatus = {
  key: 'shop:m1',
  applicationId: 'shop',
  state: 'active',
  functions: [],
  rejected: [],
  workers: [],
  versions: [
    {
      definition,
      weight: 100,
      state: 'active',
      invocations: 0,
      workers: [worker('w1', 'ready'), worker('w2', 'lost'), worker('w3', 'abandoned')],
    },
  ],
};
const workers = { jobHosts: [jobHost], placeholders: [worker('p1', 'placeholder'), worker('p2', 'stopped')] };

const customer = (workerId: string, application: Partial<typeof definition> = {}): WorkerGrant => ({
  kind: 'worker',
  workerId,
  tenantId: 'contoso',
  application: { ...definition, ...application },
  ...language,
});
const placeholder = (workerId: string): PlaceholderGrant => ({ kind: 'placeholder', workerId, ...language });

describe('isWanted', () => {
  it.each<[string, WorkerGrant | PlaceholderGrant, boolean]>([
    ['a worker of its app', customer('w1'), true],
    ['one that may come back', customer('w2'), true],
    ['one that was given up', customer('w3'), false],
    ['one that is not here', customer('w4'), false],
    ['one of another app', customer('w1', { applicationId: 'blog' }), false],
    ['one of another code version', customer('w1', { codeVersion: 'c2' }), false],
    ['one of another metadata version', customer('w1', { metadataVersion: 'm2' }), false],
    ['a worker that says it is a placeholder', placeholder('w1'), false],
    ['a placeholder', placeholder('p1'), true],
    ['a placeholder that has ended', placeholder('p2'), false],
    ['a placeholder that says it has an app', customer('p1'), false],
  ])('%s', (_what, grant, wanted) => {
    expect(isWanted(grant, workers)).toBe(wanted);
  });
});
