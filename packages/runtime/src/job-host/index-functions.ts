import { type Clock, isPlatformError, messageOf, type PlatformError, withDeadline } from '@switchyard/kernel';
import { buildFunctionIndex, type FunctionIndex, parseFunctionJson, parseIndexedFunction } from '@switchyard/model';
import type { RpcFunctionMetadata } from '@switchyard/protocol';
import type { RuntimeApplication } from '../contract.ts';
import { runtimeErrors } from '../errors.ts';

export interface IndexScope {
  readonly application: RuntimeApplication;
  /** The `functions` list of host.json. */
  readonly allowed: readonly string[] | undefined;
}

/** The functions that a worker listed. What it got wrong is rejected function by function. */
export function indexFromWorker(
  results: readonly RpcFunctionMetadata[],
  { application, allowed }: IndexScope,
): FunctionIndex {
  const { runtime } = application.stack;
  return buildFunctionIndex(
    results.map((result) => parseIndexedFunction(result, { runtime })),
    allowed,
  );
}

/**
 * The functions that the app's function.json files describe; waits for the files for at most `timeoutMs`.
 * @throws PlatformError APPLICATION_FILES_UNREADABLE
 */
export async function indexFromFiles(scope: IndexScope, clock: Clock, timeoutMs: number): Promise<FunctionIndex> {
  const { application, allowed } = scope;
  const { runtime } = application.stack;
  const unreadable = (reason: string, cause?: unknown): PlatformError => {
    const { definition, scriptRoot } = application;
    const details = { applicationId: definition.applicationId, scriptRoot, reason };
    return runtimeErrors.create('APPLICATION_FILES_UNREADABLE', details, cause);
  };
  const late = (): PlatformError => unreadable(`they were not read within ${timeoutMs} ms`);
  try {
    const files = await withDeadline(clock, timeoutMs, application.functionFiles.list(), late);
    return buildFunctionIndex(
      files.map((file) => parseFunctionJson(file, { runtime })),
      allowed,
    );
  } catch (thrown) {
    throw isPlatformError(thrown) ? thrown : unreadable(messageOf(thrown), thrown);
  }
}
