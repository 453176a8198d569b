import type { TaskSpec } from '../driver/contract.ts';

/** A task that runs an image of that name with little of everything. */
export function sampleSpec(taskId: string, reference: string, workspacePath: string): TaskSpec {
  return {
    taskId,
    source: { kind: 'image', reference, pull: 'never' },
    cmd: [],
    env: {},
    stdin: undefined,
    workspacePath,
    memoryMb: 64,
    cpus: 1,
    pids: 64,
    temporaryMb: 16,
    outputBytes: 8 * 1_024 * 1_024,
    network: 'none',
    readOnlyRoot: true,
    user: undefined,
    ports: [],
    health: undefined,
  };
}
