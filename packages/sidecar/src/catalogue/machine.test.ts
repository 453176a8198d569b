import { describe, expect, test } from 'vitest';
import { describeMachine } from './machine.ts';

describe('describeMachine', () => {
  test.each([
    ['linux', 'x64', 'LINUX', 'X64'],
    ['linux', 'arm64', 'LINUX', 'Arm64'],
    ['darwin', 'arm64', 'OSX', 'Arm64'],
    ['win32', 'ia32', 'WINDOWS', 'X86'],
    ['linux', 'arm', 'LINUX', 'Arm'],
    ['freebsd', 'riscv64', 'LINUX', 'X64'],
  ])('%s on %s is %s and %s', (platform, architecture, operatingSystem, name) => {
    const machine = describeMachine({ platform, architecture, hostVersion: '4.1037.0', processors: 4 });
    expect(machine).toEqual({ operatingSystem, architecture: name, hostVersion: '4.1037.0', processors: 4 });
  });

  test('a machine has at least one processor', () => {
    const machine = describeMachine({ platform: 'linux', architecture: 'x64', hostVersion: '', processors: 0 });
    expect(machine.processors).toBe(1);
  });
});
