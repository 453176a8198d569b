import { PinnedCertificates } from '../http/pinned-certificates.ts';
import type { RemoteWorkers } from '../http/worker-http.ts';
import { parseWorkerNetworks } from '../http/worker-networks.ts';
import { runtimeProcessErrors } from '../runtime/errors.ts';
import { readNamedFile } from '../runtime/read-files.ts';
import type { KubernetesWorkerOptions, ReachOptions } from './up-options.ts';

/** Whom of other machines an installation believes. */
export interface Trust {
  /** Who has signed the certificates of its pods and Runtimes, as PEM; those whom everybody trusts when left out. */
  readonly authority: string | undefined;
  /** Lets tokens cross a network without TLS. */
  readonly allowsClear: boolean;
  /** Where streamed requests may go. */
  readonly workers: RemoteWorkers;
  /** Certificates of single pods. */
  readonly pinned: PinnedCertificates;
}

/** Rejects with RUNTIME_FILE_UNREADABLE and RUNTIME_WORKER_NETWORK. */
export async function readTrust(
  { authority: path, allowsClear, workerNetworks }: ReachOptions,
  pods: Pick<KubernetesWorkerOptions, 'tlsName'> | undefined,
): Promise<Trust> {
  const authority = path === undefined ? undefined : await readNamedFile(path, '--peer-ca');
  const reading = parseWorkerNetworks(workerNetworks);
  if (reading.kind === 'invalid') throw runtimeProcessErrors.create('RUNTIME_WORKER_NETWORK', { text: reading.text });
  const pinned = new PinnedCertificates();
  const own = { authority, allowsClear, pinned };
  if (pods === undefined) {
    const { networks } = reading;
    return { ...own, workers: { networks, authority, certificateAt: pinned.at, allowClear: allowsClear } };
  }
  // Pods have addresses that nobody knows beforehand: their certificate says that it is them.
  return { ...own, workers: { networks: () => true, authority, serverName: pods.tlsName, allowClear: false } };
}
