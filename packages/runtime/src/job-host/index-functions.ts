import { messageOf, type PlatformError } from '@switchyard/kernel';
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
 * The functions that the app's function.json files describe.
 * @throws PlatformError APPLICATION_FILES_UNREADABLE
 */
export async function indexFromFiles({ application, allowed }: IndexScope): Promise<FunctionIndex> {
  const { runtime } = application.stack;
  const files = await application.functionFiles.list().catch((thrown: unknown) => {
    throw unreadable(application, thrown);
  });
  return buildFunctionIndex(
    files.map((file) => parseFunctionJson(file, { runtime })),
    allowed,
  );
}

function unreadable({ definition, scriptRoot }: RuntimeApplication, thrown: unknown): PlatformError {
  const details = { applicationId: definition.applicationId, scriptRoot, reason: messageOf(thrown) };
  return runtimeErrors.create('APPLICATION_FILES_UNREADABLE', details, thrown);
}
