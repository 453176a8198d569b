/** A folder per job, which the job sees at `/workspace` and which is gone after it. */

import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '@switchyard/kernel';
import { workspaceMount } from '../driver/contract.ts';
import { agentErrors } from '../errors.ts';

export interface Workspaces {
  /** Makes a job's folder with its payload in it; returns where the engine finds it. Rejects with WORKSPACE_UNUSABLE. */
  create(jobId: string, payload: string): Promise<string>;
  /** Where the engine finds the folder of a job, whether it exists or not. */
  pathOf(jobId: string): string;
  /** Harmless when there is none. */
  remove(jobId: string): Promise<void>;
  /** Removes the folders of all jobs but those that `kept` names at the moment when a folder is looked at. */
  sweep(kept: () => Iterable<string>): Promise<void>;
}

/** The file that holds the payload as JSON, as the job sees it. */
export const payloadFile = `${workspaceMount}/payload.json`;

/**
 * Opens the folder of the workspaces.
 *
 * @param path where this process finds it
 * @param enginePath where the container engine finds it, which differs when this process runs in a container
 */
export async function openWorkspaces(path: string, enginePath: string = path): Promise<Workspaces> {
  const unusable = (error: unknown): Error =>
    agentErrors.create('WORKSPACE_UNUSABLE', { path, reason: messageOf(error) }, error);
  await mkdir(path, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw unusable(error);
  });
  const remove = (name: string): Promise<void> => rm(join(path, name), { recursive: true, force: true, maxRetries: 2 });
  return {
    async create(jobId, payload) {
      const folder = join(path, nameOf(jobId));
      try {
        await remove(nameOf(jobId));
        await mkdir(folder);
        await writeFile(join(folder, 'payload.json'), payload, { mode: 0o644 });
        // Whoever the image's user is may write here; the folder above lets nobody else of this machine in.
        await chmod(folder, 0o777);
      } catch (error) {
        throw unusable(error);
      }
      return join(enginePath, nameOf(jobId));
    },
    pathOf: (jobId) => join(enginePath, nameOf(jobId)),
    remove: (jobId) => remove(nameOf(jobId)),
    async sweep(kept) {
      for (const name of await readdir(path)) {
        // A job may have begun since the folder was read.
        const isKept = [...kept()].some((jobId) => nameOf(jobId) === name);
        if (name.startsWith(prefix) && !isKept) await remove(name);
      }
    },
  };
}

const prefix = 'job-';

/** Ids may hold slashes and be long; folders are named by their hash. */
function nameOf(jobId: string): string {
  return `${prefix}${createHash('sha256').update(jobId).digest('hex').slice(0, 32)}`;
}
