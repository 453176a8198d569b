/** Releases of Node.js that an installation has beside its own. */
import { execFile } from 'node:child_process';
import { findNodeReleases, installNodeRelease, type NodeRelease, nodeReleasesFolder } from './node-releases.ts';

export type { NodeRelease } from './node-releases.ts';

/** The releases of the installation with this data folder, newest first. */
export function listNodes(dataFolder: string): Promise<readonly NodeRelease[]> {
  return findNodeReleases(nodeReleasesFolder(dataFolder));
}

/** @throws PlatformError NODE_RELEASE_INVALID, NODE_RELEASE_UNAVAILABLE */
export function addNode(dataFolder: string, version: string): Promise<NodeRelease> {
  const { platform, arch: architecture } = process;
  return installNodeRelease({ run, platform, architecture }, nodeReleasesFolder(dataFolder), version);
}

function run([program = '', ...words]: readonly string[], { timeoutMs }: { timeoutMs: number }): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, words, { timeout: timeoutMs, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(stderr.trim() || error.message));
    });
  });
}
