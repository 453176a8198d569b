/** From a task to what the engine is told. Pure. */
import { createHash } from 'node:crypto';
import { type TaskSpec, workspaceMount } from '../contract.ts';

/** Labels by which an agent finds its containers and images again. */
export const workerLabel = 'switchyard.worker';
export const jobLabel = 'switchyard.job';

const megabyte = 1024 * 1024;
/** The engine counts in nanoseconds of a processor's second, and in nanoseconds. */
const nanosPerUnit = 1e9;
const nanosPerMs = 1e6;
/** Lines in the engine's file carry a frame of their own. */
const logOverhead = 2;

/** The one name that a task's container can have: a second one of the same task is refused by the engine itself. */
export function containerName(workerId: string, taskId: string): string {
  return `switchyard-${digestOf(workerId, taskId)}`;
}

/** The name of the image that a task builds for itself. */
export function builtImageName(workerId: string, taskId: string): string {
  return `switchyard-build:${digestOf(workerId, taskId)}`;
}

export function labelsOf(workerId: string, taskId: string): Record<string, string> {
  return { [workerLabel]: workerId, [jobLabel]: taskId };
}

/** The body of `POST /containers/create`. */
export function containerSettings(spec: TaskSpec, image: string, workerId: string): Record<string, unknown> {
  const hasStdin = spec.stdin !== undefined;
  const memoryBytes = spec.memoryMb * megabyte;
  const ports = spec.ports.map((port) => `${port}/tcp`);
  return {
    Image: image,
    ...(spec.cmd.length === 0 ? {} : { Cmd: spec.cmd }),
    Env: Object.entries(spec.env).map(([name, value]) => `${name}=${value}`),
    ...(spec.user === undefined ? {} : { User: spec.user }),
    AttachStdin: hasStdin,
    AttachStdout: true,
    AttachStderr: true,
    OpenStdin: hasStdin,
    StdinOnce: hasStdin,
    Tty: false,
    Labels: labelsOf(workerId, spec.taskId),
    ...(spec.health === undefined ? {} : { Healthcheck: healthOf(spec.health) }),
    ExposedPorts: Object.fromEntries(ports.map((port) => [port, {}])),
    HostConfig: {
      Binds: [`${spec.workspacePath}:${workspaceMount}:rw`],
      NetworkMode: spec.network,
      PortBindings: Object.fromEntries(ports.map((port) => [port, [{ HostIp: '127.0.0.1', HostPort: '' }]])),
      ReadonlyRootfs: spec.readOnlyRoot,
      Tmpfs: { '/tmp': `rw,nosuid,nodev,size=${spec.temporaryMb}m` },
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      Privileged: false,
      Memory: memoryBytes,
      // As much as memory alone: a job that may swap slows everybody down before it fails.
      MemorySwap: memoryBytes,
      NanoCpus: Math.round(spec.cpus * nanosPerUnit),
      PidsLimit: spec.pids,
      IpcMode: 'private',
      AutoRemove: false,
      RestartPolicy: { Name: 'no' },
      LogConfig: { Type: 'json-file', Config: { 'max-size': `${spec.outputBytes * logOverhead}`, 'max-file': '2' } },
    },
  };
}

function healthOf(health: NonNullable<TaskSpec['health']>): Record<string, unknown> {
  return {
    Test: ['CMD', ...health.cmd],
    Interval: health.intervalMs * nanosPerMs,
    Timeout: health.timeoutMs * nanosPerMs,
    Retries: health.retries,
    StartPeriod: health.startPeriodMs * nanosPerMs,
  };
}

function digestOf(workerId: string, taskId: string): string {
  return createHash('sha256').update(`${workerId}\0${taskId}`).digest('hex').slice(0, 32);
}
