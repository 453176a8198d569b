/** A blob as the worker gets it. */
import type { TypedData } from '@switchyard/protocol';
import type { TriggerEvent } from '../contract.ts';
import { TriggerMetadata } from '../trigger-metadata.ts';
import { jsonData, textData } from '../typed-data.ts';
import type { BlobMetadata, BlobProperties } from './blob-client.ts';
import { type BlobPath, formatBlobPath } from './blob-path.ts';

/** What an event is made of. */
export interface BlobEventSource {
  readonly path: BlobPath;
  readonly data: TypedData;
  readonly properties: BlobProperties;
  /** With the names as they were written. */
  readonly metadata: BlobMetadata;
  readonly captures: ReadonlyMap<string, string>;
  /** The `Trigger Details` of the message that brought the blob. */
  readonly details: Readonly<Record<string, string>>;
}

/** The official name of scanning, in reasons. */
const sourceName = 'LogsAndContainerScan';

/**
 * Makes the event. `trigger_metadata` has the official names, then the captures of the path, then the top-level properties
 * of JSON text; later ones win.
 */
export function toBlobEvent(source: BlobEventSource): TriggerEvent {
  const path = formatBlobPath(source.path);
  const { createdMs, lastModifiedMs } = source.properties;
  return {
    data: source.data,
    metadata: toMetadata(source, path),
    reason: `New blob detected(${sourceName}): ${path}`,
    details: {
      ...source.details,
      ...(createdMs === undefined ? {} : { BlobCreated: toOffsetTime(createdMs) }),
      BlobLastModified: toOffsetTime(lastModifiedMs),
    },
  };
}

function toMetadata({ data, properties, metadata, captures }: BlobEventSource, path: string): Map<string, TypedData> {
  const entries = new TriggerMetadata();
  entries.set('BlobTrigger', textData(path));
  entries.set('Uri', jsonData(JSON.stringify(properties.uri)));
  entries.set('Properties', jsonData(JSON.stringify(toPropertiesJson(properties))));
  entries.set('Metadata', jsonData(JSON.stringify(Object.fromEntries(metadata))));
  for (const [name, value] of captures) entries.set(name, textData(value));
  const text = data.data?.$case === 'string' ? data.data.value : undefined;
  if (text !== undefined) entries.setJsonProperties(text);
  return entries.entries;
}

/** The properties by the names that the official host's have. */
function toPropertiesJson(properties: BlobProperties): Record<string, unknown> {
  const { etag, lastModifiedMs, createdMs, sizeBytes, type, headers } = properties;
  return {
    LastModified: toOffsetTime(lastModifiedMs),
    ...(createdMs === undefined ? {} : { CreatedOn: toOffsetTime(createdMs) }),
    BlobType: type,
    ContentLength: sizeBytes,
    ETag: etag,
    ...headers,
  };
}

/** .NET's DateTimeOffset in UTC. */
function toOffsetTime(timeMs: number): string {
  return new Date(timeMs).toISOString().replace('Z', '+00:00');
}
