/** `admin/functions`: what functions there are, and runs by hand (FunctionsController of the official host). */
import type { HttpReply, TriggerEvent } from '@switchyard/triggers';
import { toManualEvent } from '../gateway/manual-event.ts';
import type { FunctionEntry } from '../job-host/function-entry.ts';
import type { JobHost } from '../job-host/job-host.ts';
import { type AdminCall, type AdminReply, type AdminRoute, emptyReply, jsonReply } from './admin-call.ts';
import { describeFunction } from './describe-function.ts';
import { functionEdits } from './function-edits.ts';
import { listFunctions } from './listed-functions.ts';

export const functionRoutes: readonly AdminRoute[] = [
  {
    methods: ['GET'],
    pattern: /^\/admin\/functions$/i,
    serve: async (call) =>
      jsonReply(
        200,
        (await listFunctions(call)).map((listed) => describeFunction(listed, call)),
      ),
  },
  { methods: ['GET'], pattern: /^\/admin\/functions\/download$/i, serve: download },
  {
    methods: ['GET'],
    pattern: /^\/admin\/functions\/([^/]+)$/i,
    serve: describeOne,
  },
  {
    methods: ['POST'],
    pattern: /^\/admin\/functions\/([^/]+)$/i,
    readsBody: true,
    serve: (call) => withFunction(call, (entry) => runByHand(call.jobHost, entry, call.body)),
  },
  {
    methods: ['GET'],
    pattern: /^\/admin\/functions\/([^/]+)\/status$/i,
    serve: (call) => functionStatus(call),
  },
  ...functionEdits,
];

/** Runs the function with a warm-up trigger, once for each JobHost. False when there is none, or it has run. */
export function runWarmup({ jobHost, host: { warmedUp } }: AdminCall): boolean {
  const entry = jobHost.catalog?.entries.find(
    ({ metadata, isDisabled }) => metadata.trigger.type.toLowerCase() === 'warmuptrigger' && !isDisabled,
  );
  if (entry === undefined || warmedUp.has(jobHost)) return false;
  warmedUp.add(jobHost);
  start(jobHost, entry, toManualEvent(entry.metadata.trigger.type, ''));
  return true;
}

/** The app as a zip archive, without its local settings. */
async function download({ jobHost: { application } }: AdminCall): Promise<AdminReply> {
  const message = 'The files of this app are not here to be downloaded.';
  if (application.download === undefined) return jsonReply(404, { message });
  const name = application.definition.applicationId;
  const headers = [
    ['Content-Type', 'application/zip'],
    ['Content-Disposition', `attachment; filename=${name}.zip`],
  ] as const;
  return { status: 200, headers, ...(await application.download()) };
}

async function describeOne(call: AdminCall): Promise<AdminReply> {
  const [name = ''] = call.parameters;
  const listed = await listFunctions(call);
  const found = listed.find(({ metadata }) => metadata.name.toLowerCase() === name.toLowerCase());
  return found === undefined ? emptyReply(404) : jsonReply(200, describeFunction(found, call));
}

function withFunction(
  { jobHost, parameters: [name = ''] }: AdminCall,
  serve: (entry: FunctionEntry) => HttpReply | Promise<HttpReply>,
): HttpReply | Promise<HttpReply> {
  const entry = jobHost.catalog?.find(name);
  return entry === undefined ? emptyReply(404) : serve(entry);
}

/** Why a function does not work; a rejected one is known by its reason alone. */
function functionStatus({ jobHost, parameters: [name = ''] }: AdminCall): HttpReply {
  const isNamed = (other: { readonly name: string }): boolean => other.name.toLowerCase() === name.toLowerCase();
  const { rejected, unloaded = [] } = jobHost.status();
  const reasons = [
    ...rejected.filter(isNamed).map(({ reason }) => reason),
    ...unloaded.filter(isNamed).map(({ message }) => message),
  ];
  if (reasons.length > 0) return jsonReply(200, { errors: reasons });
  return jobHost.catalog?.find(name) === undefined ? emptyReply(404) : jsonReply(200, {});
}

/** Starts the function with `{"input": "<text>"}` and does not wait for its end. */
async function runByHand(jobHost: JobHost, entry: FunctionEntry, text: string): Promise<HttpReply> {
  const input = parseInput(text);
  if (input === undefined) return jsonReply(400, { message: 'Send a JSON object such as {"input": "text"}.' });
  if (entry.trigger.kind === 'route') {
    return jsonReply(400, { message: `'${entry.metadata.name}' is an HTTP function: call its route.` });
  }
  const own = await entry.trigger.toManualEvent?.(input);
  if (own?.kind === 'refused') return jsonReply(400, { message: own.reason });
  const event = own?.event ?? toManualEvent(entry.metadata.trigger.type, input);
  start(jobHost, entry, event);
  return emptyReply(202);
}

function start(jobHost: JobHost, entry: FunctionEntry, event: TriggerEvent): void {
  const source = { reason: event.reason, event: () => event };
  jobHost.choose().executor.run(entry, source, { keepsId: false, retries: true }, () => {});
}

function parseInput(text: string): string | undefined {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined;
    const input: unknown = Object.hasOwn(body, 'input') ? (body as { input: unknown }).input : '';
    return typeof input === 'string' ? input : JSON.stringify(input ?? '');
  } catch {
    return undefined;
  }
}
