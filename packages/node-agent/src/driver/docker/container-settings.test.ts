import { describe, expect, it } from 'vitest';
import { sampleSpec } from '../../testing/sample-spec.ts';
import { containerName, containerSettings } from './container-settings.ts';

const spec = sampleSpec('job/1', 'docker.io/library/busybox:1', 'host-folder');

describe('containerSettings', () => {
  it('takes away what a job need not have', () => {
    expect(containerSettings(spec, 'busybox', 'me')).toMatchObject({
      Image: 'busybox',
      Tty: false,
      OpenStdin: false,
      Labels: { 'switchyard.worker': 'me', 'switchyard.job': 'job/1' },
      HostConfig: {
        NetworkMode: 'none',
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges:true'],
        Privileged: false,
        Memory: 64 * 1024 * 1024,
        MemorySwap: 64 * 1024 * 1024,
        NanoCpus: 1e9,
        PidsLimit: 64,
        RestartPolicy: { Name: 'no' },
      },
    });
  });

  it("leaves the image's own command and user where the job names none", () => {
    const settings = containerSettings(spec, 'busybox', 'me');
    expect(settings).not.toHaveProperty('Cmd');
    expect(settings).not.toHaveProperty('User');
    expect(containerSettings({ ...spec, cmd: ['a'], user: '7' }, 'busybox', 'me')).toMatchObject({
      Cmd: ['a'],
      User: '7',
    });
  });

  it('publishes the ports of a pod on this machine alone, and checks its health', () => {
    const health = { cmd: ['ok'], intervalMs: 2_000, timeoutMs: 1_000, retries: 2, startPeriodMs: 0 };
    const pod = containerSettings({ ...spec, network: 'bridge', ports: [80], health }, 'busybox', 'me');
    expect(pod).toMatchObject({
      ExposedPorts: { '80/tcp': {} },
      Healthcheck: { Test: ['CMD', 'ok'], Interval: 2e9, Retries: 2 },
      HostConfig: { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] } },
    });
  });

  it('names a container after agent and job, whatever characters they have', () => {
    expect(containerName('me', 'job/1')).toMatch(/^switchyard-[0-9a-f]{32}$/);
    expect(containerName('me', 'job/1')).toBe(containerName('me', 'job/1'));
    const others = [containerName('me', 'job/2'), containerName('you', 'job/1'), containerName('mejob/1', '')];
    expect(new Set([containerName('me', 'job/1'), ...others]).size).toBe(4);
  });
});
