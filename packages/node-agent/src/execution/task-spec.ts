/** From a job to what its driver runs. Pure. */

import { invariant } from '@switchyard/kernel';
import { formatImageReference, parseImageReference } from '@switchyard/protocol/job-api';
import { type TaskSource, type TaskSpec, workspaceMount } from '../driver/contract.ts';
import type { Job } from '../jobs/job.ts';
import { payloadFile } from './workspaces.ts';

/** Settings of the agent that every task has. */
export interface TaskDefaults {
  readonly pullPolicy: 'always' | 'missing' | 'never';
  readonly readOnlyRoot: boolean;
  readonly user: string | undefined;
  readonly temporaryMb: number;
}

/** A longer payload is in the file and on stdin alone: the kernel takes no longer variable. */
const maxPayloadVariableBytes = 64 * 1_024;

/** The payload as JSON; `null` when there is none. */
export function payloadOf(job: Pick<Job, 'request'>): string {
  return JSON.stringify(job.request.task.payload ?? null);
}

export function toTaskSpec(job: Job, workspacePath: string, defaults: TaskDefaults): TaskSpec {
  const { runtime, task } = job.request;
  const { health } = runtime;
  return {
    taskId: job.id,
    source: sourceOf(job, defaults),
    cmd: runtime.cmd,
    env: { ...environmentOf(job), ...runtime.env },
    stdin: task.payload === undefined ? undefined : payloadOf(job),
    workspacePath,
    memoryMb: job.limits.memory_mb,
    cpus: job.limits.cpus,
    pids: job.limits.pids,
    temporaryMb: defaults.temporaryMb,
    outputBytes: job.limits.output_bytes,
    network: job.network,
    readOnlyRoot: defaults.readOnlyRoot,
    user: defaults.user,
    ports: runtime.ports,
    health:
      health === undefined
        ? undefined
        : {
            cmd: health.cmd,
            intervalMs: health.interval_seconds * 1_000,
            timeoutMs: health.timeout_seconds * 1_000,
            retries: health.retries,
            startPeriodMs: health.start_period_seconds * 1_000,
          },
  };
}

function sourceOf({ request: { runtime }, network }: Job, { pullPolicy }: TaskDefaults): TaskSource {
  if (runtime.build !== undefined && runtime.mode === 'build') return { kind: 'build', build: runtime.build, network };
  const reference = parseImageReference(runtime.image ?? '');
  invariant(reference !== undefined, 'a job of mode image was accepted without an image');
  return { kind: 'image', reference: formatImageReference(reference), pull: runtime.pull_policy ?? pullPolicy };
}

function environmentOf(job: Job): Record<string, string> {
  const payload = payloadOf(job);
  return {
    JOB_ID: job.id,
    JOB_TASK_TYPE: job.request.task.type,
    JOB_WORKSPACE: workspaceMount,
    JOB_PAYLOAD_FILE: payloadFile,
    ...(Buffer.byteLength(payload) <= maxPayloadVariableBytes ? { JOB_PAYLOAD: payload } : {}),
  };
}
