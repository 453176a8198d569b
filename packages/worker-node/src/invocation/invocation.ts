/** Runs one invocation: arguments, hooks, function, hooks, response. The order is the contract of the core module. */
import { type InvocationRequest, type InvocationResponse, StatusResult_Status } from '@switchyard/protocol';
import type { App } from '../app/app.ts';
import type { AppFunction } from '../app/function-registry.ts';
import { type HookData, PostInvocationContext, PreInvocationContext } from '../app/hook-contexts.ts';
import type { CoreInvocationContext, InvocationModel, ProgrammingModel } from '../core/core-types.ts';
import { success, toFailure } from '../data/failure.ts';
import { toCoreInvocationRequest } from '../data/from-wire.ts';
import type { LongIntegers } from '../data/long-integers.ts';
import { emptyResponse, toInvocationResponse } from '../data/to-wire.ts';
import type { WorkerLog } from '../worker-log.ts';
import type { Cancellation } from './cancellation.ts';

export interface InvocationDeps {
  readonly app: App;
  readonly model: ProgrammingModel;
  readonly longs: LongIntegers;
  readonly log: WorkerLog;
  readonly cancellation: Cancellation;
}

/** What hooks and log lines of one invocation share. */
interface Scope {
  readonly invocationId: string;
  readonly functionName: string;
  readonly hookData: HookData;
  context: unknown;
}

/** The response to send. Never rejects: whatever is thrown on the way becomes a Failure. */
export async function runInvocation(
  deps: InvocationDeps,
  called: AppFunction,
  request: InvocationRequest,
): Promise<InvocationResponse> {
  const { invocationId } = request;
  try {
    if (deps.longs.mustLoadFor(request)) await deps.longs.load();
    const { core, scope } = createContext(deps, called, request);
    const model = await deps.model.getInvocationModel(core);
    const { result, answer } = await callFunction(deps, called, core, scope, model);
    const response = toInvocationResponse(invocationId, success, answer);
    // Told apart from a function whose answer went over HTTP, for which a model has no return value either.
    if (isStreamed(request) && (result === undefined || result === null)) response.returnValue ??= { data: undefined };
    return response;
  } catch (thrown) {
    const status = deps.cancellation.explains(thrown) ? StatusResult_Status.Cancelled : StatusResult_Status.Failure;
    return { ...emptyResponse(), invocationId, result: toFailure(thrown, status) };
  }
}

function createContext(
  { log, longs }: InvocationDeps,
  { metadata }: AppFunction,
  request: InvocationRequest,
): { core: CoreInvocationContext; scope: Scope } {
  const { invocationId } = request;
  const scope: Scope = { invocationId, functionName: metadata.name, hookData: {}, context: undefined };
  const core: CoreInvocationContext = {
    invocationId,
    request: toCoreInvocationRequest(request, longs),
    metadata,
    state: undefined,
    log: (level, category, message) => log.write(level, category, message, scope),
  };
  return { core, scope };
}

async function callFunction(
  { app, cancellation, log }: InvocationDeps,
  { callback }: AppFunction,
  core: CoreInvocationContext,
  scope: Scope,
  model: InvocationModel,
): Promise<{ readonly result: unknown; readonly answer: unknown }> {
  const { context, inputs } = await model.getArguments();
  scope.context = context;
  cancellation.attachTo(context);
  const tell = (text: string): void => log.system('debug', text, scope);
  const stores = { hookData: scope.hookData, appHookData: app.hookData };
  let call = { inputs, callback };
  if (app.hooks.has('preInvocation')) {
    const before = new PreInvocationContext(stores, context, inputs, callback);
    core.state = 'preInvocationHooks';
    await app.hooks.run('preInvocation', before, tell);
    call = { inputs: before.inputs, callback: before.functionCallback };
  }
  core.state = 'invocation';
  let result: unknown;
  let error: unknown;
  try {
    result = await model.invokeFunction(context, call.inputs, call.callback);
  } catch (thrown) {
    // A function may throw nothing at all; it has failed all the same.
    error = thrown ?? new Error('The function threw neither an error nor a value.');
  }
  core.state = undefined;
  if (app.hooks.has('postInvocation')) {
    const after = new PostInvocationContext(stores, context, call.inputs, result, error);
    core.state = 'postInvocationHooks';
    await app.hooks.run('postInvocation', after, tell);
    core.state = undefined;
    ({ result, error } = after);
  }
  if (error !== undefined && error !== null) throw error;
  return { result, answer: await model.getResponse(context, result) };
}

/** A request that comes over HTTP itself leaves nothing but its place in the invocation. */
function isStreamed({ inputData }: InvocationRequest): boolean {
  return inputData.some(({ rpcData }) => {
    const data = rpcData?.$case === 'data' ? rpcData.value.data : undefined;
    return data?.$case === 'http' && data.value.method === '';
  });
}
