import type { JobHostStatus } from '@switchyard/runtime';
import { describe, expect, it } from 'vitest';
import { judgeHealth, type RuntimeVitals } from './runtime-health.ts';

const jobHost = (...states: readonly string[]): JobHostStatus => {
  const workers = states.map((state, index) => ({
    workerId: `w${index}`,
    state,
    inFlight: 0,
    runtimeName: 'node',
    runtimeVersion: '24',
  }));
  const definition = { applicationId: 'shop', metadataVersion: 'm1', codeVersion: 'c1' };
  return {
    key: 'shop:m1',
    applicationId: 'shop',
    state: 'active',
    functions: [],
    rejected: [],
    workers,
    versions: [{ definition, weight: 100, state: 'active', workers, invocations: 3 }],
  };
};

const judge = (more: Partial<RuntimeVitals>) =>
  judgeHealth({ isListening: true, jobHosts: [], placeholders: [], memoryUtilization: 0.5, ...more });

describe('judgeHealth', () => {
  it.each([
    ['Healthy', {}],
    ['Healthy', { jobHosts: [jobHost('ready', 'lost')] }],
    ['Healthy', { memoryUtilization: 0.9 }],
    ['Degraded', { jobHosts: [jobHost('loading')] }],
    ['Degraded', { memoryUtilization: 0.901 }],
    ['Unhealthy', { isListening: false, jobHosts: [jobHost('ready')] }],
  ] as const)('is %s for %j', (status, vitals) => {
    expect(judge(vitals).status).toBe(status);
  });

  it('tells every number', () => {
    const [placeholder] = jobHost('placeholder').workers;
    const vitals = { jobHosts: [jobHost('ready', 'loading')], placeholders: placeholder ? [placeholder] : [] };
    expect(judge({ ...vitals, memoryUtilization: 0.12345 }).data).toEqual({
      grpc_server: true,
      total_workers: 2,
      ready_workers: 1,
      placeholders: 1,
      active_jobhosts: 1,
      memory_utilization: 0.123,
      pending_invocations: 3,
    });
  });
});
