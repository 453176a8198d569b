import { describe, expect, it } from 'vitest';
import { sampleRequest } from '../testing/sample-job.ts';
import { defaultAgentSettings } from './agent-settings.ts';
import { admitJob, type JobPolicy } from './job-policy.ts';

const admit = (runtime: Parameters<typeof sampleRequest>[1] = {}, policy: Partial<JobPolicy> = {}) =>
  admitJob(sampleRequest('a', runtime), { ...defaultAgentSettings, ...policy });
const codeOf = (admission: ReturnType<typeof admit>) =>
  admission.kind === 'refused' ? admission.error.code : undefined;

describe('admitJob', () => {
  it('fills limits in, and keeps those that a job asks for', () => {
    const limits = { memory_mb: 100, cpus: 0.5 };
    expect(admit({ runtime: { limits } })).toEqual({
      kind: 'admitted',
      network: 'none',
      limits: { memory_mb: 100, max_runtime_seconds: 300, cpus: 0.5, pids: 256, output_bytes: 1_048_576 },
    });
  });

  it('gives a pod no time limit, and a network that reaches the Runtime', () => {
    expect(admit({ runtime: { lifecycle: 'pod' } })).toMatchObject({
      network: 'bridge',
      limits: { max_runtime_seconds: null },
    });
  });

  it.each([
    ['an image that is not on the list', {}, { allowed_images: ['alpine'] }, 'IMAGE_NOT_ALLOWED'],
    ['a mode', {}, { allowed_modes: ['build'] }, 'RUNTIME_NOT_SUPPORTED'],
    ['pods where there are none', { lifecycle: 'pod' }, { max_pods: 0 }, 'RUNTIME_NOT_SUPPORTED'],
    ['too much memory', { limits: { memory_mb: 8_193 } }, {}, 'LIMIT_EXCEEDED'],
    ['memory that no machine has', { limits: { memory_mb: 1_000_000_000 } }, {}, 'LIMIT_EXCEEDED'],
    ['too much time', { limits: { max_runtime_seconds: 86_401 } }, {}, 'LIMIT_EXCEEDED'],
    ['too many processors', { limits: { cpus: 65 } }, {}, 'LIMIT_EXCEEDED'],
    ['too many processes', { limits: { pids: 5_000 } }, {}, 'LIMIT_EXCEEDED'],
    ['a network', { network: 'host' }, {}, 'NETWORK_NOT_ALLOWED'],
    ["a pod's network for a job", { network: 'bridge' }, {}, 'NETWORK_NOT_ALLOWED'],
  ] as const)('refuses %s', (_, runtime, policy, code) => {
    expect(codeOf(admit({ runtime } as never, policy as never))).toBe(code);
  });

  it('looks into Dockerfiles', () => {
    const build = (dockerfile: string) =>
      ({ runtime: { mode: 'build', image: undefined, build: { dockerfile } } }) as const;
    expect(admit(build('FROM busybox')).kind).toBe('admitted');
    expect(codeOf(admit(build('FROM busybox'), { allowed_images: ['alpine'] }))).toBe('IMAGE_NOT_ALLOWED');
  });

  it('says how to mend it', () => {
    const refused = admit({ runtime: { limits: { memory_mb: 9_000 } } });
    expect(refused.kind === 'refused' && refused.error.message).toBe(
      'runtime.limits.memory_mb is 9000, and this agent grants at most 8192. Ask for less, or raise limits.maximum.memory_mb.',
    );
  });
});
