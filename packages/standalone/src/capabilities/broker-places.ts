import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CapabilityManifest, InstancePaths } from '@switchyard/capability-broker';

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
 * Sockets go below the system's folder for temporary files, because their paths may have 107 bytes only; state goes into
 * the data folder: one SQLite file for each shard of each version's major number, so that a new patch finds what the old one
 * kept.
 */
export async function openBrokerPlaces(stateDirectory: string): Promise<BrokerPlaces> {
  const sockets = await mkdtemp(join(tmpdir(), 'switchyard-caps-'));
  await chmod(sockets, passableMode);
  await mkdir(stateDirectory, { recursive: true, mode: privateFolderMode });
  let started = 0;
  return {
    socketPath: join(sockets, 'broker.sock'),
    pathsOf: (manifest, _instanceId, shard) => {
      started += 1;
      const isShared = manifest.kind === 'builtin' || manifest.kind === 'in-process';
      return {
        directPath: isShared ? undefined : join(sockets, `host-${started}.sock`),
        statePath: join(stateDirectory, stateFile(manifest, shard)),
      };
    },
    remove: () => rm(sockets, { recursive: true, force: true }),
  };
}

/** Readable, and different for different shards whatever their names hold. */
function stateFile({ name, version }: CapabilityManifest, shard: string): string {
  const [major = '0'] = version.split('.');
  const mark = createHash('sha256').update(`${shard}|${major}`).digest('hex').slice(0, 12);
  return `${name}-${shard.slice(shard.lastIndexOf('-') + 1)}-v${major}-${mark}.sqlite`;
}
