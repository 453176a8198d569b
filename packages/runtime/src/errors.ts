import { defineErrors, type ErrorCatalogue, type PlatformError } from '@switchyard/kernel';
import type { InvocationError } from '@switchyard/triggers';

/** What can go wrong in the Runtime. */
export const runtimeErrors = defineErrors({
  WORKER_UNKNOWN: {
    blame: 'user',
    retry: 'never',
    http: 404,
    grpc: 5,
    exit: 1,
    message:
      "No worker with the id '{workerId}' is expected here. Start workers through the supply, and pass on the id that it gives.",
  },
  WORKER_APPLICATION_GONE: {
    blame: 'platform',
    retry: 'never',
    http: 404,
    grpc: 5,
    exit: 1,
    message: "Worker '{workerId}' serves '{jobHostKey}', which this Runtime does not host any more.",
  },
  WORKER_ENDED: {
    blame: 'platform',
    retry: 'never',
    http: 409,
    grpc: 9,
    exit: 1,
    message: "Worker '{workerId}' may not connect again: it is {state}. Start a new worker.",
  },
  WORKER_SUPERSEDED: {
    blame: 'platform',
    retry: 'never',
    http: 409,
    grpc: 10,
    exit: 1,
    message: "Worker '{workerId}' opened another stream; this one ends.",
  },
  WORKER_FIRST_MESSAGE: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 1,
    message:
      'The first message of a stream must be StartStream or WorkerConnect, but {received} came. Connect with a FunctionRpc language worker.',
  },
  WORKER_UNVERIFIED: {
    blame: 'dependency',
    retry: 'safe',
    http: 503,
    grpc: 14,
    exit: 1,
    message: "Whether worker '{workerId}' may connect could not be found out: {reason}.",
  },
  WORKER_APPLICATION_UNKNOWN: {
    blame: 'platform',
    retry: 'never',
    http: 404,
    grpc: 5,
    exit: 1,
    message:
      "Worker '{workerId}' serves '{jobHostKey}', which this Runtime does not host. Add the app to the Runtime before its workers connect.",
  },
  WORKER_FOREIGN: {
    blame: 'platform',
    retry: 'never',
    http: 403,
    grpc: 7,
    exit: 1,
    message: "Worker '{workerId}' may not serve '{jobHostKey}': {reason}.",
  },
  WORKER_EPOCH_STALE: {
    blame: 'platform',
    retry: 'never',
    http: 409,
    grpc: 10,
    exit: 1,
    message: "Worker '{workerId}' opened a stream of epoch {epoch}, but has connected with epoch {latest} before.",
  },
  WORKER_CONTEXT_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 1,
    message:
      "Worker '{workerId}' cannot be taken: its {name} is '{value}', which does not fit. Look at what its sidecar was started or assigned with.",
  },
  WORKER_PLACEHOLDERS_LIMIT: {
    blame: 'platform',
    retry: { afterMs: 5_000 },
    http: 503,
    grpc: 8,
    exit: 1,
    message:
      "Worker '{workerId}' cannot wait here for an app: {limit} others do already. Attach it to another Runtime.",
  },
  WORKER_ANNOUNCE_TIMEOUT: {
    blame: 'platform',
    retry: 'safe',
    http: 504,
    grpc: 4,
    exit: 1,
    message: "Worker '{workerId}' was to announce its app by WorkerSpecialized and did not within {timeoutMs} ms.",
  },
  WORKER_NOT_WAITING: {
    blame: 'platform',
    retry: 'never',
    http: 409,
    grpc: 9,
    exit: 1,
    message: "Worker '{workerId}' takes no app any more: it is {state}. Use another placeholder.",
  },
  WORKER_SPECIALIZE_TIMEOUT: {
    blame: 'dependency',
    retry: 'safe',
    http: 504,
    grpc: 4,
    exit: 1,
    message: "Whether worker '{workerId}' may serve its app was not found out within {timeoutMs} ms.",
  },
  WORKER_TOKEN_REFUSED: {
    blame: 'user',
    retry: 'never',
    http: 403,
    grpc: 7,
    exit: 1,
    message: "Worker '{workerId}' may not serve '{jobHostKey}' (gRPC status {status}): {reason}.",
  },
  WORKER_ANNOUNCEMENT_FAILED: {
    blame: 'user',
    retry: 'safe',
    http: 503,
    grpc: 9,
    exit: 1,
    message: "The app '{jobHostKey}' that worker '{workerId}' announced cannot be hosted: {reason}.",
  },
  WORKER_FUNCTIONS_DIFFER: {
    blame: 'user',
    retry: 'never',
    http: 409,
    grpc: 9,
    exit: 1,
    message:
      "Worker '{workerId}' lists other functions than '{jobHostKey}' has: {difference}. Deploy changed functions as a new metadata version.",
  },
  WORKER_START_STREAM_TIMEOUT: {
    blame: 'user',
    retry: 'safe',
    http: 504,
    grpc: 4,
    exit: 1,
    message: 'No StartStream came within {timeoutMs} ms after the stream opened.',
  },
  WORKER_FRAME_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 1,
    message: 'A frame of {sizeBytes} bytes is no StreamingMessage ({reason}); the stream ends.',
  },
  WORKER_CONNECT_TIMEOUT: {
    blame: 'user',
    retry: 'safe',
    http: 503,
    grpc: 4,
    exit: 1,
    message:
      "Worker '{workerId}' of app '{applicationId}' did not connect within {timeoutMs} ms after its start; another one is started.{stderr}",
  },
  WORKER_INIT_TIMEOUT: {
    blame: 'user',
    retry: 'safe',
    http: 503,
    grpc: 4,
    exit: 1,
    message:
      "Worker '{workerId}' of app '{applicationId}' did not answer WorkerInitRequest within {timeoutMs} ms. Look for code at the top of the entry file that blocks or never ends.{stderr}",
  },
  WORKER_INIT_FAILED: {
    blame: 'user',
    retry: 'safe',
    http: 503,
    grpc: 13,
    exit: 1,
    message: "The worker of app '{applicationId}' could not start: {reason}.{stderr}",
  },
  WORKER_INDEX_TIMEOUT: {
    blame: 'user',
    retry: 'safe',
    http: 503,
    grpc: 4,
    exit: 1,
    message: "Worker '{workerId}' of app '{applicationId}' did not list its functions within {timeoutMs} ms.{stderr}",
  },
  WORKER_INDEX_FAILED: {
    blame: 'user',
    retry: 'safe',
    http: 503,
    grpc: 13,
    exit: 1,
    message: "The worker of app '{applicationId}' could not list its functions: {reason}.{stderr}",
  },
  WORKER_LOAD_TIMEOUT: {
    blame: 'user',
    retry: 'safe',
    http: 503,
    grpc: 4,
    exit: 1,
    message:
      "Worker '{workerId}' of app '{applicationId}' did not load {missing} within {timeoutMs} ms. Look for code in that file that blocks.{stderr}",
  },
  WORKER_STREAM_ENDED: {
    blame: 'user',
    retry: 'safe',
    http: 503,
    grpc: 14,
    exit: 1,
    message: "The stream of worker '{workerId}' of app '{applicationId}' ended before it was ready: {reason}.{stderr}",
  },
  WORKER_EXITED: {
    blame: 'user',
    retry: 'safe',
    http: 503,
    grpc: 14,
    exit: 1,
    message:
      "The worker of app '{applicationId}' ended ({how}) before it was ready; another one is started. Fix what its output names.{stderr}",
  },
  WORKER_NOT_STARTED: {
    blame: 'dependency',
    retry: 'safe',
    http: 503,
    grpc: 14,
    exit: 1,
    message: "No worker of app '{applicationId}' could be started: {reason} The next try is in {retryInMs} ms.",
  },
  APPLICATION_CONFLICT: {
    blame: 'user',
    retry: 'never',
    http: 409,
    grpc: 6,
    exit: 1,
    message:
      "App '{applicationId}' cannot answer to the host name '{hostName}': app '{other}' does. Give each app a name of its own.",
  },
  APPLICATION_STOPPED: {
    blame: 'platform',
    retry: 'never',
    http: 503,
    grpc: 14,
    exit: 1,
    message: "App '{applicationId}' was stopped before it was ready.",
  },
  APPLICATION_EMPTY: {
    blame: 'user',
    retry: 'never',
    http: 404,
    grpc: 5,
    exit: 1,
    message:
      "App '{applicationId}' in {scriptRoot} has no functions. Register one in the file that package.json names as main (v4 model), or add a folder with a function.json.{stderr}",
  },
  APPLICATION_FILES_UNREADABLE: {
    blame: 'user',
    retry: 'safe',
    http: 503,
    grpc: 14,
    exit: 1,
    message: "The function.json files of app '{applicationId}' in {scriptRoot} cannot be read: {reason}.",
  },
  APPLICATION_SCALE_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 1,
    message: "App '{applicationId}': scale.{name} is {value}, but must be {expected}.",
  },
  APPLICATION_VERSION_LIMIT: {
    blame: 'user',
    retry: 'never',
    http: 409,
    grpc: 8,
    exit: 1,
    message:
      "App '{applicationId}' has {limit} code versions here already, which is the most. Remove one that is not used any more.",
  },
  TRAFFIC_WEIGHTS_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 1,
    message:
      "The traffic weights of app '{applicationId}' cannot be used: {problem}. Give every version once, with a whole percentage from 0 to 100, so that all sum to 100.",
  },
  TRAFFIC_VERSION_UNKNOWN: {
    blame: 'user',
    retry: 'never',
    http: 404,
    grpc: 5,
    exit: 1,
    message:
      "App '{applicationId}' has no version '{version}' here that could take traffic. Its versions: {known}. Deploy the version first.",
  },
  TRAFFIC_METADATA_MIXED: {
    blame: 'user',
    retry: 'never',
    http: 409,
    grpc: 9,
    exit: 1,
    message:
      "The traffic of app '{applicationId}' cannot be split between '{one}' and '{other}', whose triggers or bindings differ: only one of them may listen. Give all of it to versions of one metadataVersion.",
  },
  TRAFFIC_VERSION_IN_USE: {
    blame: 'user',
    retry: 'never',
    http: 409,
    grpc: 9,
    exit: 1,
    message:
      "Version '{version}' of app '{applicationId}' still gets {weight} % of the traffic. Give that to another version first.",
  },
  FUNCTION_BINDING_UNKNOWN: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 1,
    message:
      "Function '{functionName}': the binding '{bindingName}' has the type '{type}', which is no {role} of this platform. Supported: {supported}.",
  },
  FUNCTION_LISTENER_FAILED: {
    blame: 'dependency',
    retry: 'safe',
    http: 503,
    grpc: 14,
    exit: 1,
    message: "Function '{functionName}': its {type} cannot be watched: {reason}",
  },
  FUNCTION_LIMIT: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 8,
    exit: 1,
    message: "App '{applicationId}' has {count} functions; at most {limit} are served. The rest is left out.",
  },
  INVOCATION_TIMEOUT: {
    blame: 'user',
    retry: 'safe',
    http: 500,
    grpc: 4,
    exit: 1,
    message:
      "Timeout value of {timeout} exceeded by function 'Functions.{functionName}' (Id: '{invocationId}'). Its worker is replaced. Raise functionTimeout in host.json when the function may take longer.",
  },
  INVOCATION_WORKER_LOST: {
    blame: 'platform',
    retry: 'safe',
    http: 500,
    grpc: 14,
    exit: 1,
    message: "The worker '{workerId}' was lost while the function ran: {reason}.",
  },
  INVOCATION_NO_WORKER: {
    blame: 'platform',
    retry: { afterMs: 5_000 },
    http: 503,
    grpc: 14,
    exit: 1,
    message: 'No worker was ready within {timeoutMs} ms.',
  },
  INVOCATION_HELD_LIMIT: {
    blame: 'platform',
    retry: { afterMs: 5_000 },
    http: 503,
    grpc: 14,
    exit: 1,
    message: 'The app has no worker yet, and {limit} invocations wait for one already. Try again in a few seconds.',
  },
  INVOCATION_START_FAILED: {
    blame: 'user',
    retry: { afterMs: 5_000 },
    http: 503,
    grpc: 14,
    exit: 1,
    message: "The app's worker does not start. The app's log says why.",
  },
  INVOCATION_OVERLOADED: {
    blame: 'platform',
    retry: { afterMs: 1_000 },
    http: 429,
    grpc: 8,
    exit: 1,
    message: 'Every worker of the app is busy: {reason}.',
  },
  INVOCATION_STOPPING: {
    blame: 'platform',
    retry: { afterMs: 1_000 },
    http: 503,
    grpc: 14,
    exit: 1,
    message: 'The app is being stopped.',
  },
  INVOCATION_VALUE_UNSUPPORTED: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 3,
    exit: 1,
    message: "The worker returned a value of kind '{kind}' for '{bindingName}', which no binding can take.",
  },
  HTTP_STREAMING_UNAVAILABLE: {
    blame: 'platform',
    retry: 'never',
    http: 500,
    grpc: 12,
    exit: 1,
    message:
      'The worker streams HTTP (app.setup({ enableHttpStream: true })), but this Runtime was given no way to send requests to it.',
  },
  HTTP_STREAM_UNREACHABLE: {
    blame: 'platform',
    retry: 'safe',
    http: 500,
    grpc: 14,
    exit: 1,
    message:
      "The request for function '{functionName}' did not reach its worker: nothing took a connection at {httpUri} in {tries} tries ({reason}). The worker announced that address as its HttpUri; look whether the app closed the server behind it.",
  },
  HTTP_STREAM_IDLE: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 4,
    exit: 1,
    message:
      "The HTTP stream of function '{functionName}' was ended, because nothing moved on it for {timeoutMs} ms. Answer sooner, or send something now and then, such as a comment line of server-sent events.",
  },
  HTTP_STREAM_BROKEN: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 14,
    exit: 1,
    message:
      "The worker broke off its HTTP answer for function '{functionName}': {reason}. Its caller got 500, or a broken connection when the answer had begun. Look for an error in the stream that the function returned, or for the end of the worker's process.",
  },
  REQUEST_HOST_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 1,
    message: 'The Host header is no host name. Send a name such as localhost:7071.',
  },
  REQUEST_TARGET_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 1,
    message: 'The request target is neither a path nor an absolute URL. Send a path such as /api/hello.',
  },
  REQUEST_UPGRADE_REFUSED: {
    blame: 'user',
    retry: 'never',
    http: 501,
    grpc: 12,
    exit: 1,
    message:
      'Functions take no WebSocket connections. Send a plain HTTP request; a function may stream its response, for example as server-sent events.',
  },
  WORKER_UNVERIFIABLE: {
    blame: 'platform',
    retry: 'never',
    http: 403,
    grpc: 7,
    exit: 1,
    message:
      'A worker announced itself by WorkerConnect, and this Runtime has no way to verify who it is. Let the worker be started by the platform, or give the Runtime a verifier.',
  },
} as const);

type Codes = typeof runtimeErrors extends ErrorCatalogue<infer Code> ? Code : never;

/** A code of the Runtime's catalogue. */
export type RuntimeErrorCode = Codes;

/** An error of ours in the shape of a function's error. */
export function toInvocationError(error: PlatformError): InvocationError {
  return { message: error.message, stack: '', type: error.code };
}

/** The last lines of stderr as the end of a message; empty when there are none. */
export function quoteStderr(lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${stderrHeading}${lines.map((line) => `  ${line}`).join('\n')}`;
}

/** A message without the lines of stderr that it quotes. */
export function withoutStderr(message: string): string {
  return message.split(stderrHeading, 1)[0] ?? '';
}

const stderrHeading = ' Its last output was:\n';
