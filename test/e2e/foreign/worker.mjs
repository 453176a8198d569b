/**
 * A language worker that shares no code with ours: grpc-js, as the official Node.js worker, with the habits of the
 * official Python or Java worker. Its "languages" are folders of JSON: `functions.json`
 * for the worker that indexes, function.json for the other.
 *
 *     worker.mjs <python|java> <arguments of the host>
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const protocol = fileURLToPath(new URL('../../../packages/protocol/proto/', import.meta.url));
const [habits, ...words] = process.argv.slice(2);
const argument = (name) => words[words.indexOf(`--${name}`) + 1];
const success = { status: 'Success' };
const failure = (message) => ({ status: 'Failure', exception: { message, stack_trace: `at ${message}` } });

/** Python puts the id of its start into everything it sends; Java echoes that of the request. */
const startId = argument('requestId');

const connectTimeoutMs = 5_000;
/** How long the function `pause` takes. */
const pauseMs = 3_000;
const unlimited = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };
const { AzureFunctionsRpcMessages } = grpc.loadPackageDefinition(
  loadSync('function-rpc.proto', {
    includeDirs: [protocol],
    keepCase: true,
    longs: String,
    enums: String,
    oneofs: true,
  }),
);
const address = `${argument('host')}:${argument('port')}`;
const client = new AzureFunctionsRpcMessages.FunctionRpc(address, grpc.credentials.createInsecure(), unlimited);

const capabilityNames = {
  python: ['RpcHttpTriggerMetadataRemoved', 'WorkerStatus', 'SharedMemoryDataTransfer', 'RpcHttpBodyOnly'],
  java: ['TypedDataCollection', 'WorkerStatus', 'RpcHttpBodyOnly', 'RpcHttpTriggerMetadataRemoved'],
}[habits];
const moreCapabilities = {
  python: ['TypedDataCollection', 'RawHttpBodyBytes'],
  java: ['HandlesWorkerTerminateMessage', 'HandlesWorkerWarmupMessage'],
}[habits];
/** Java's capabilities have their own names as values. */
const capabilities = Object.fromEntries(
  [...capabilityNames, ...moreCapabilities].map((name) => [name, habits === 'java' ? name : 'true']),
);

const loaded = new Map();
let application = '';
let stream;

function send(request, content) {
  stream.write({ request_id: habits === 'python' ? startId : request.request_id, ...content });
}

const handlers = {
  worker_init_request(request) {
    application = request.worker_init_request.function_app_directory;
    const isPlaceholder = process.env.WEBSITE_PLACEHOLDER_MODE === '1' || application === '';
    const isComplete = isPlaceholder || process.env.AzureWebJobsScriptRoot;
    const result = isComplete ? success : failure('AzureWebJobsScriptRoot is not set');
    const worker_metadata = { runtime_name: habits, runtime_version: '1.2', worker_version: '3' };
    send(request, { worker_init_response: { capabilities, result, worker_metadata } });
  },
  functions_metadata_request(request) {
    const function_metadata_results = functionsOfPython();
    send(request, { function_metadata_response: { function_metadata_results, result: success } });
  },
  function_environment_reload_request(request) {
    // Java has no answer to this one, and dies of what it does not know.
    const { environment_variables: variables, function_app_directory: folder } =
      request.function_environment_reload_request;
    for (const name of Object.keys(process.env)) delete process.env[name];
    Object.assign(process.env, variables);
    application = folder;
    process.chdir(folder);
    send(request, { function_environment_reload_response: { capabilities, result: success } });
  },
  function_load_request(request) {
    const { function_id, metadata } = request.function_load_request;
    loaded.set(function_id, metadata);
    send(request, { function_load_response: { function_id, result: loadResult(metadata) } });
  },
  invocation_request(request) {
    const { invocation_id, function_id } = request.invocation_request;
    send(request, {
      rpc_log: { invocation_id, level: 'Information', message: 'foreign worker runs', log_category: 'User' },
    });
    const answer = (outcome) => send(request, { invocation_response: { invocation_id, ...outcome } });
    run(loaded.get(function_id), request.invocation_request, answer);
  },
  worker_status_request: (request) => send(request, { worker_status_response: {} }),
  worker_terminate() {
    if (habits === 'java') process.exit(0);
  },
};

function functionsOfPython() {
  // A placeholder is asked as well.
  if (!existsSync(join(application, 'functions.json'))) return [];
  const functions = JSON.parse(readFileSync(join(application, 'functions.json'), 'utf8'));
  return functions.map(({ name, bindings }, index) => ({
    name,
    directory: application,
    script_file: 'function_app.py',
    entry_point: name,
    language: 'python',
    function_id: `4d71d03f-f19b-5d9e-8523-${String(index).padStart(12, '0')}`,
    raw_bindings: bindings.map((binding) => JSON.stringify(binding)),
    bindings: Object.fromEntries(
      bindings.map(({ name: key, type, direction }) => [key, { type, direction: direction.toLowerCase() }]),
    ),
    properties: { worker_indexed: 'True' },
  }));
}

/** Python cannot load what it is not told to be its own; Java looks into the file. */
function loadResult({ name, properties, script_file, entry_point }) {
  if (habits === 'python') {
    return properties.worker_indexed === 'True' ? success : failure(`${name} is not known to be indexed by the worker`);
  }
  if (!existsSync(script_file)) return failure(`${script_file} does not exist`);
  return /^[\w.]+\.\w+$/.test(entry_point) ? success : failure(`'${entry_point}' names no method`);
}

function run({ entry_point, bindings }, { input_data: inputs }, answer) {
  if (inputs.some((input) => input.rpc_shared_memory)) {
    answer({ result: failure('shared memory was used and nobody allowed that') });
    return;
  }
  const method = entry_point.split('.').at(-1);
  const [first] = inputs;
  const outcomes = {
    hello: () => ({ return_value: helloFrom(first.data.http), result: success }),
    boom: () => ({ result: failure('the foreign function failed') }),
    pause: () => setTimeout(() => answer({ return_value: { string: 'slept' }, result: success }), pauseMs) && undefined,
  };
  const outcome = outcomes[method]?.() ?? undefined;
  if (outcome !== undefined) answer(outcome);
  else if (outcomes[method] === undefined)
    answer({ result: failure(`no method ${method} among ${Object.keys(bindings)}`) });
}

/** Python functions may return plain text for an HTTP output; Java ones send a response. */
function helloFrom({ method, query, headers, body, params, nullable_headers: nullable }) {
  const text = body?.bytes?.toString() ?? body?.string ?? body?.json ?? '';
  const told = { habits, pid: process.pid, method, query, params, kind: headers['x-kind'], text, bodyAs: body?.data };
  const report = JSON.stringify({ ...told, usesNullable: Object.keys(nullable ?? {}).length > 0, environment: seen() });
  if (habits === 'python') return { string: report };
  return { http: { status_code: '202', headers: { 'x-worker': 'foreign' }, body: { string: report } } };
}

function seen() {
  const { PYTHON_THREADPOOL_THREAD_COUNT: threads, FUNCTIONS_WORKER_DIRECTORY: directory } = process.env;
  return { threads, directory, folder: process.cwd() };
}

function serve() {
  stream = client.EventStream();
  stream.on('data', (request) => {
    const handler = handlers[request.content];
    if (handler) handler(request);
    else if (habits === 'java') {
      process.stderr.write(`Unsupported message type ${request.content}\n`);
      process.exit(255);
    }
  });
  // Python lives on, whatever becomes of its host; Java ends with it.
  for (const event of ['end', 'error']) stream.on(event, () => habits === 'java' && process.exit(1));
  send({ request_id: startId }, { start_stream: { worker_id: argument('workerId') } });
}

if (process.env.FOREIGN_WORKER_IGNORES_SIGTERM) process.on('SIGTERM', () => {});
if (habits === 'python') setInterval(() => {}, 3_600_000);
client.waitForReady(Date.now() + connectTimeoutMs, (error) => {
  if (!error) return serve();
  process.stderr.write(`cannot reach the host: ${error.message}\n`);
  process.exit(1);
});
