/** The parts of an agent that touch the machine, as its settings want them. */
import { createHash } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { systemClock, systemRandom } from '@switchyard/kernel';
import {
  type AgentSettings,
  DockerDriver,
  type JobStore,
  MemoryJobStore,
  MockDriver,
  MockEngine,
  openSqliteJobStore,
  openWorkspaces,
  type TaskDriver,
  type Workspaces,
} from '@switchyard/node-agent';
import { agentProcessErrors } from './errors.ts';

const second = 1_000;

export function openDriver(settings: AgentSettings, workerId: string): TaskDriver {
  if (settings.driver === 'mock') return new MockDriver(new MockEngine(systemClock));
  return new DockerDriver(
    { clock: systemClock, random: systemRandom },
    { socketPath: settings.docker.socket, workerId, enginePatienceMs: settings.engine_patience_seconds * second },
  );
}

/** Throws JOB_STORE_UNUSABLE or JOB_STORE_VERSION. */
export function openStore({ store }: AgentSettings, workingDirectory: string): JobStore {
  return store.kind === 'memory' ? new MemoryJobStore() : openSqliteJobStore(resolve(workingDirectory, store.path));
}

/** Rejects with WORKSPACE_UNUSABLE, or with AGENT_FOLDER_FOREIGN. */
export async function openJobWorkspaces(
  { workspace }: AgentSettings,
  workerId: string,
  workingDirectory: string,
): Promise<Workspaces> {
  const enginePath = workspace.engine_path === '' ? undefined : workspace.engine_path;
  if (workspace.path !== '') return await openWorkspaces(resolve(workingDirectory, workspace.path), enginePath);
  const name = createHash('sha256').update(workerId).digest('hex').slice(0, 12);
  const path = join(tmpdir(), `switchyard-agent-${name}`);
  const workspaces = await openWorkspaces(path, enginePath);
  const folder = await lstat(path);
  // Anybody may make folders there, and whoever owns this one could change what jobs read.
  if (!folder.isDirectory() || (process.platform !== 'win32' && folder.uid !== userInfo().uid))
    throw agentProcessErrors.create('AGENT_FOLDER_FOREIGN', { path });
  return workspaces;
}
