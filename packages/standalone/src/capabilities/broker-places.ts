import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { CapabilityManifest, InstancePaths } from '@switchyard/capability-broker';
import { systemClock } from '@switchyard/kernel';
import { capabilityProcessErrors } from './errors.ts';
import { brokerSocket, socketFolderPrefix, sweepSocketFolders } from './sweep-socket-folders.ts';

/** Workers of other users pass through, and see no list. */
const passableMode = 0o711;
const privateFolderMode = 0o700;

/** Where the sockets and the state of one broker are. */
export interface BrokerPlaces {
  /** The broker's own socket. */
  readonly socketPath: string;
  /** The direct route and the state of one instance. */
  pathsOf(manifest: CapabilityManifest, instanceId: string, shard: string): InstancePaths;
  remove(): Promise<void>;
}

/**
 * Sockets go below the system's folder for temporary files, because their paths may have 107 bytes only, into a folder that is
 * the same after a restart: workers keep its name in their environment. State goes into the data folder: one SQLite file
 * for each shard of each version's major number, so that a new patch finds what the old one kept.
 *
 * Nobody else may use the data folder meanwhile. Rejects with SOCKET_FOLDER_TAKEN.
 */
export async function openBrokerPlaces(stateDirectory: string): Promise<BrokerPlaces> {
  const mark = createHash('sha256').update(resolve(stateDirectory)).digest('hex').slice(0, 16);
  const sockets = join(tmpdir(), `${socketFolderPrefix}${mark}`);
  await sweepSocketFolders(tmpdir(), systemClock);
  await openOwnFolder(sockets);
  await mkdir(stateDirectory, { recursive: true, mode: privateFolderMode });
  let started = 0;
  return {
    socketPath: join(sockets, brokerSocket),
    pathsOf: (manifest, _instanceId, shard) => {
      started += 1;
      const isShared = manifest.kind === 'builtin' || manifest.kind === 'in-process';
      return {
        directPath: isShared || manifest.endpoint !== null ? undefined : join(sockets, `host-${started}.sock`),
        statePath: manifest.endpoint === null ? join(stateDirectory, stateFile(manifest, shard)) : undefined,
      };
    },
    remove: () => rm(sockets, { recursive: true, force: true }),
  };
}

/** An empty folder of this user's. Everybody can write beside it, so what is there already may be somebody else's. */
async function openOwnFolder(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found !== undefined && (!found.isDirectory() || found.uid !== process.getuid?.()))
    throw capabilityProcessErrors.create('SOCKET_FOLDER_TAKEN', { path });
  await rm(path, { recursive: true, force: true });
  await mkdir(path, { mode: privateFolderMode });
  await chmod(path, passableMode);
}

/** Readable, and different for different shards whatever their names hold. */
function stateFile({ name, version }: CapabilityManifest, shard: string): string {
  const [major = '0'] = version.split('.');
  const mark = createHash('sha256').update(`${shard}|${major}`).digest('hex').slice(0, 12);
  return `${name}-${shard.slice(shard.lastIndexOf('-') + 1)}-v${major}-${mark}.sqlite`;
}
