/** Podman's service with a Docker-compatible socket, in a temporary folder of the tests' own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packTestImage, testImage } from '@switchyard/node-agent/testing';
import { type PartCheck, requireOptionalPart } from '@switchyard/testkit';

export interface PodmanEngine {
  readonly socketPath: string;
  close(): Promise<void>;
}

/** Limits that a container may set without more rights than the tests have; no daemon to ask for cgroups. */
const configuration = `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
`;

const pollMs = 50;
const startMs = 20_000;

/** Not every machine has Podman: missing, it is a loud skip everywhere. */
export function requirePodman(): PartCheck {
  const present = spawnSync('podman', ['--version']).status === 0 && process.getuid?.() === 0;
  return requireOptionalPart('podman and root', present, 'Install it: apt-get install podman');
}

export async function openPodman(): Promise<PodmanEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-podman-'));
  const socketPath = join(folder, 'podman.sock');
  writeFileSync(join(folder, 'containers.conf'), configuration);
  const env = { ...process.env, CONTAINERS_CONF: join(folder, 'containers.conf') };
  const words = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs'];
  const imported = spawnSync('podman', [...words, 'import', '-', testImage], { env, input: packTestImage() });
  if (imported.status !== 0) throw new Error(`podman import ended with ${imported.status}: ${imported.stderr}`);
  // Where a container runs out of memory, its monitor leaves a file in the folder that podman was started in.
  const service = spawn('podman', [...words, 'system', 'service', '--time', '0', `unix://${socketPath}`], {
    cwd: folder,
    env,
    stdio: 'ignore',
  });
  const endMs = Date.now() + startMs;
  while (!existsSync(socketPath)) {
    if (Date.now() > endMs || service.exitCode !== null) throw new Error('the service of podman does not start');
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  return { socketPath, close: () => close(service, folder) };
}

async function close(service: ChildProcess, folder: string): Promise<void> {
  const ended = new Promise((resolve) => service.once('exit', resolve));
  if (service.kill('SIGTERM')) await ended;
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '');
  for (const path of mounts.filter((one) => one.startsWith(`${folder}/`)).reverse())
    spawnSync('umount', ['-l', path], { stdio: 'ignore' });
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
