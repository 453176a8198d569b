/**
 * What the machine is and how busy it is: processors, memory, temperature. Linux tells more than others; what a system
 * does not tell is left out or estimated, and never an error.
 */
import { readdir, readFile } from 'node:fs/promises';
import { arch, cpus, freemem, hostname, loadavg, platform, totalmem } from 'node:os';
import { join } from 'node:path';

export interface Machine {
  readonly hostname: string;
  readonly cpuCores: number;
  readonly cpuThreads: number;
  readonly memoryMb: number;
  readonly os: string;
  readonly architecture: string;
}

export interface MachineLoad {
  /** Over 1, 5 and 15 minutes. */
  readonly loadAverage: readonly [number, number, number];
  /** The share of all processors that was busy since the look before, from 0 to 1. */
  readonly cpuLoad: number;
  readonly memoryMb: number;
  readonly memoryAvailableMb: number;
  /** The hottest sensor, in degrees Celsius. */
  readonly temperatureC: number | undefined;
}

/** A port, so that tests say what the machine is. */
export interface SystemMetrics {
  describe(): Promise<Machine>;
  load(): Promise<MachineLoad>;
}

/** What is asked of the operating system; the default is this machine. */
export interface SystemSource {
  readonly hostname: () => string;
  readonly platform: () => string;
  readonly arch: () => string;
  readonly cpus: () => readonly { readonly times: Readonly<Record<string, number>> }[];
  readonly loadavg: () => readonly number[];
  readonly totalmem: () => number;
  readonly freemem: () => number;
  /** The folder that holds `proc` and `sys`. */
  readonly root: string;
}

const thisMachine: SystemSource = { hostname, platform, arch, cpus, loadavg, totalmem, freemem, root: '/' };

const megabyte = 1024 * 1024;
/** Sensors outside of this say nothing that is true. */
const plausibleC = { minimum: -40, maximum: 150 };

export function createSystemMetrics(source: SystemSource = thisMachine): SystemMetrics {
  let before = busyOf(source);
  return {
    async describe() {
      const threads = source.cpus().length;
      return {
        hostname: source.hostname(),
        cpuCores: countCores(await readText(source, 'proc/cpuinfo')) ?? threads,
        cpuThreads: threads,
        memoryMb: Math.floor(source.totalmem() / megabyte),
        os: source.platform(),
        architecture: source.arch(),
      };
    },
    async load() {
      const now = busyOf(source);
      const total = now.total - before.total;
      const cpuLoad = total > 0 ? Math.min(1, Math.max(0, (now.busy - before.busy) / total)) : 0;
      before = now;
      const [one = 0, five = 0, fifteen = 0] = source.loadavg();
      const available = availableBytes(await readText(source, 'proc/meminfo')) ?? source.freemem();
      return {
        loadAverage: [one, five, fifteen],
        cpuLoad,
        memoryMb: Math.floor(source.totalmem() / megabyte),
        memoryAvailableMb: Math.floor(available / megabyte),
        temperatureC: await readTemperature(source),
      };
    },
  };
}

/** Processor time since the start of the machine, over all processors. */
function busyOf({ cpus: processors }: SystemSource): { readonly busy: number; readonly total: number } {
  let idle = 0;
  let total = 0;
  for (const { times } of processors()) {
    for (const time of Object.values(times)) total += time;
    idle += times.idle ?? 0;
  }
  return { busy: total - idle, total };
}

/** Cores as Linux numbers them; undefined where it does not, as on most ARM boards. */
function countCores(cpuInfo: string): number | undefined {
  const cores = new Set<string>();
  let socket = '0';
  for (const line of cpuInfo.split('\n')) {
    const [name, value = ''] = line.split(':').map((part) => part.trim());
    if (name === 'physical id') socket = value;
    else if (name === 'core id') cores.add(`${socket}/${value}`);
  }
  return cores.size > 0 ? cores.size : undefined;
}

/** What Linux could give to a new program without swapping. */
function availableBytes(memInfo: string): number | undefined {
  const kilobytes = /^MemAvailable:\s+(\d+) kB$/m.exec(memInfo)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

/** The hottest of the thermal zones and of the sensors of the hardware monitor. */
async function readTemperature(source: SystemSource): Promise<number | undefined> {
  const files = [
    ...(await entriesOf(source, 'sys/class/thermal', /^thermal_zone\d+$/)).map((folder) => `${folder}/temp`),
    ...(await sensorFiles(source)),
  ];
  const found = await Promise.all(files.map(async (file) => (await readText(source, file)).trim()));
  const degrees = found
    .filter((text) => /^-?\d+$/.test(text))
    .map((text) => Number(text) / 1_000)
    .filter((value) => value >= plausibleC.minimum && value <= plausibleC.maximum);
  return degrees.length > 0 ? Math.max(...degrees) : undefined;
}

async function sensorFiles(source: SystemSource): Promise<string[]> {
  const folders = await entriesOf(source, 'sys/class/hwmon', /^hwmon\d+$/);
  return (await Promise.all(folders.map((folder) => entriesOf(source, folder, /^temp\d+_input$/)))).flat();
}

async function entriesOf({ root }: SystemSource, folder: string, name: RegExp): Promise<string[]> {
  const names = await readdir(join(root, folder)).catch((): string[] => []);
  return names.filter((one) => name.test(one)).map((one) => `${folder}/${one}`);
}

/** Empty for a file that is not there or cannot be read. */
async function readText({ root }: SystemSource, path: string): Promise<string> {
  return await readFile(join(root, path), 'utf8').catch(() => '');
}
