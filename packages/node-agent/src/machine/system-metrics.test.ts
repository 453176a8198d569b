import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSystemMetrics, type SystemSource } from './system-metrics.ts';

const megabyte = 1024 * 1024;

describe('createSystemMetrics', () => {
  let root: string;
  let times: { user: number; idle: number };
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'switchyard-machine-'));
    times = { user: 100, idle: 900 };
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const open = (rest: Partial<SystemSource> = {}) =>
    createSystemMetrics({
      hostname: () => 'box',
      platform: () => 'linux',
      arch: () => 'x64',
      cpus: () => [{ times }, { times }, { times }, { times }],
      loadavg: () => [1, 2, 3],
      totalmem: () => 1_000 * megabyte,
      freemem: () => 200 * megabyte,
      root,
      ...rest,
    });

  it('counts cores by socket, and threads', async () => {
    const core = (socket: number, id: number): string =>
      `processor : 9\nphysical id\t: ${socket}\ncore id\t\t: ${id}\n`;
    write('proc/cpuinfo', [core(0, 0), core(0, 0), core(0, 1), core(1, 0)].join('\n'));
    expect(await open().describe()).toEqual({
      hostname: 'box',
      cpuCores: 3,
      cpuThreads: 4,
      memoryMb: 1_000,
      os: 'linux',
      architecture: 'x64',
    });
  });

  it('takes threads for cores where the system numbers none', async () => {
    write('proc/cpuinfo', 'processor : 0\nBogoMIPS : 108.00\n');
    expect((await open().describe()).cpuCores).toBe(4);
    rmSync(join(root, 'proc'), { recursive: true });
    expect((await open().describe()).cpuCores).toBe(4);
  });

  it('measures the load since the look before', async () => {
    const metrics = open();
    expect((await metrics.load()).cpuLoad).toBe(0);
    times = { user: 175, idle: 925 };
    expect((await metrics.load()).cpuLoad).toBeCloseTo(0.75);
    times = { user: 175, idle: 1_925 };
    expect(await metrics.load()).toMatchObject({ cpuLoad: 0, loadAverage: [1, 2, 3] });
  });

  it('knows the memory that a program could get, and is content with the free one', async () => {
    expect(await open().load()).toMatchObject({ memoryMb: 1_000, memoryAvailableMb: 200 });
    write('proc/meminfo', `MemFree: 1 kB\nMemAvailable:     ${500 * 1024} kB\n`);
    expect((await open().load()).memoryAvailableMb).toBe(500);
  });

  it('tells the hottest sensor, and nothing where there is none', async () => {
    expect((await open().load()).temperatureC).toBeUndefined();
    write('sys/class/thermal/thermal_zone0/temp', '41500\n');
    write('sys/class/thermal/cooling_device0/temp', '99000\n');
    write('sys/class/hwmon/hwmon2/temp1_input', '52000\n');
    write('sys/class/hwmon/hwmon2/temp1_crit', '100000\n');
    write('sys/class/hwmon/hwmon3/temp9_input', '999999999\n');
    write('sys/class/thermal/thermal_zone7/temp', 'broken');
    expect((await open().load()).temperatureC).toBe(52);
  });

  it('works on this machine', async () => {
    const metrics = createSystemMetrics();
    const { cpuCores, cpuThreads, memoryMb } = await metrics.describe();
    expect(cpuCores).toBeGreaterThan(0);
    expect(cpuThreads).toBeGreaterThanOrEqual(cpuCores);
    const load = await metrics.load();
    expect(load.memoryAvailableMb).toBeLessThanOrEqual(memoryMb);
    expect(load.cpuLoad).toBeGreaterThanOrEqual(0);
  });
});
