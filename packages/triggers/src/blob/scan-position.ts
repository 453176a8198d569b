/**
 * Where the position of a scan survives a restart: `blobscaninfo/{hostId}/{account}/{container}/scanInfo` in the container
 * of the host, as the official host keeps it (StorageBlobScanInfoManager).
 */
import { isJsonObject } from '@switchyard/model';
import { type CallDeps, callUntilDone } from '../storage/storage-call.ts';
import type { BlobContainer } from './blob-client.ts';

/** Which scan. */
export interface ScanName {
  readonly hostId: string;
  readonly account: string;
  readonly container: string;
}

/** Nobody writes more there. */
const maxBytes = 10_000;

/** Tries per request; the next poll comes anyway. */
const maxTries = 2;

/** The position that was saved last; undefined when there is none, or none that can be read. Rejects while storage is down. */
export async function loadScanPosition(
  deps: CallDeps,
  hosts: BlobContainer,
  scan: ScanName,
  signal: AbortSignal,
): Promise<number | undefined> {
  const blob = blobNameOf(scan);
  const name = { operation: 'read', resource: `blob '${hosts.name}/${blob}'` };
  const read = await callUntilDone(deps, name, maxTries, (abort) => hosts.read(blob, { maxBytes }, abort), { signal });
  return read.kind === 'found' ? parse(new TextDecoder().decode(read.bytes)) : undefined;
}

/** Saves a position. A container of the host that is missing is left alone: whoever writes receipts creates it. */
export async function saveScanPosition(
  deps: CallDeps,
  hosts: BlobContainer,
  scan: ScanName,
  positionMs: number,
  signal: AbortSignal,
): Promise<void> {
  const blob = blobNameOf(scan);
  const name = { operation: 'write', resource: `blob '${hosts.name}/${blob}'` };
  const text = JSON.stringify({ LatestScan: new Date(positionMs).toISOString().replace('Z', '+00:00') });
  const bytes = new TextEncoder().encode(text);
  await callUntilDone(deps, name, maxTries, (abort) => hosts.write(blob, bytes, {}, abort), { signal });
}

function blobNameOf({ hostId, account, container }: ScanName): string {
  return `blobscaninfo/${hostId}/${account}/${container}/scanInfo`;
}

function parse(json: string): number | undefined {
  try {
    const parsed: unknown = JSON.parse(json);
    const text = isJsonObject(parsed) ? parsed.LatestScan : undefined;
    const positionMs = typeof text === 'string' ? Date.parse(text) : Number.NaN;
    return Number.isNaN(positionMs) ? undefined : positionMs;
  } catch {
    return undefined;
  }
}
