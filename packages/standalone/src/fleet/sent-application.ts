/** An app on its way to a Runtime of another process, and what that one makes of it. */
import { createHash } from 'node:crypto';
import { decodeIndex, encodeIndex } from '@switchyard/control-plane';
import type { FunctionKeys, KeyStore, RuntimeApplication } from '@switchyard/runtime';
import type { SentApplication, SentKey } from './messages.ts';

/** Reads function.json files only where nobody else has listed the functions. */
export async function toSentApplication(
  application: RuntimeApplication,
  keys: readonly SentKey[] | undefined,
): Promise<SentApplication> {
  const { index, functionFiles, settings, scale } = application;
  const readsFiles = index === undefined || index.useDefaultIndexing;
  const { definition, tenantId, stack, worker, scriptRoot, hostJson, hostId, hostNames } = application;
  return {
    ...{ definition, tenantId, stack, worker, scriptRoot, hostJson, hostId, hostNames, scale },
    settings: Object.fromEntries(settings),
    keys: application.keys === undefined ? undefined : keys,
    files: readsFiles ? await functionFiles.list() : [],
    index: index === undefined ? undefined : Buffer.from(encodeIndex(index)).toString('base64'),
  };
}

export interface ReceivedParts {
  readonly keys: FunctionKeys;
  readonly keyStore: KeyStore;
}

export function toRuntimeApplication(sent: SentApplication, { keys, keyStore }: ReceivedParts): RuntimeApplication {
  const { settings, files, index, scale, hostJson } = sent;
  return {
    ...sent,
    hostJson,
    settings: new Map(Object.entries(settings)),
    functionFiles: { list: async () => files },
    keys: sent.keys === undefined ? undefined : keys,
    keyStore,
    development: false,
    ...(index === undefined ? {} : { index: decodeIndex(Buffer.from(index, 'base64')) }),
    ...(scale === undefined ? {} : { scale }),
  } as RuntimeApplication;
}

const levels = { master: 'admin', host: 'function', system: 'system', function: 'function' } as const;

/** Answers what keys open; they are compared by their digests, as in the catalog. */
export function createSentKeys(keysOf: () => readonly SentKey[]): FunctionKeys {
  let from: readonly SentKey[] | undefined;
  let byDigest = new Map<string, SentKey[]>();
  const find = (value: string): readonly SentKey[] => {
    const keys = keysOf();
    if (keys !== from) {
      from = keys;
      byDigest = Map.groupBy(keys, (key) => digestOf(key.value));
    }
    return byDigest.get(digestOf(value)) ?? [];
  };
  return {
    levelOf(value, functionName) {
      const wanted = functionName.toLowerCase();
      const found = find(value).find((key) => key.kind !== 'function' || key.functionName?.toLowerCase() === wanted);
      return found === undefined ? undefined : levels[found.kind];
    },
  };
}

const digestOf = (value: string): string => createHash('sha256').update(value).digest('base64');
