/**
 * `PUT` and `DELETE admin/functions/{name}`: functions that function.json describes are made, changed and removed in the app's
 * folder (FunctionsController of the official host). An app that runs from a package is read-only there, too.
 */
import type { IncomingMessage } from 'node:http';
import {
  checkFunctionName,
  isFunctionDisabled,
  isJsonObject,
  type JsonObject,
  parseJsonText,
  readKey,
} from '@switchyard/model';
import type { FunctionContent, FunctionFolders } from '../contract.ts';
import type { JobHost } from '../job-host/job-host.ts';
import { type AdminCall, type AdminReply, type AdminRoute, emptyReply, jsonReply } from './admin-call.ts';
import { describeFunction } from './describe-function.ts';
import { adminErrors } from './errors.ts';
import { fromFile } from './listed-functions.ts';

export const functionEdits: readonly AdminRoute[] = [
  { methods: ['PUT'], pattern: /^\/admin\/functions\/([^/]+)$/i, readsBody: true, serve: put },
  { methods: ['DELETE'], pattern: /^\/admin\/functions\/([^/]+)$/i, serve: remove },
];

/** 201 with what function.json says now; a new version of the app serves it a moment later. */
async function put(call: AdminCall): Promise<AdminReply> {
  const [name = ''] = call.parameters;
  checkFunctionName(name, 'The path');
  const folders = foldersOf(call);
  if (call.jobHost.catalog?.isListed === true) throw inCode(call.jobHost);
  const metadata = await folders.write(name, parseContent(call.body));
  const isDisabled = isFunctionDisabled(call.jobHost.application.settingsView, metadata.name);
  const reply = jsonReply(201, describeFunction(fromFile(metadata, isDisabled), call));
  return { ...reply, headers: [...reply.headers, ['Location', call.url]] };
}

/** 204; its keys go with it. */
async function remove(call: AdminCall): Promise<AdminReply> {
  const { parameters, jobHost } = call;
  const [name = ''] = parameters;
  checkFunctionName(name, 'The path');
  const folders = foldersOf(call);
  if (jobHost.catalog?.isListed === true) {
    if (jobHost.catalog?.find(name) === undefined) return emptyReply(404);
    throw inCode(jobHost);
  }
  if (!(await folders.remove(name))) return emptyReply(404);
  const { keyStore } = jobHost.application;
  const scope = { kind: 'function', functionName: name } as const;
  for (const key of (await keyStore?.list(scope)) ?? []) await keyStore?.remove(scope, key.name);
  return emptyReply(204);
}

/** The folders, for a caller who may change what is in them. */
function foldersOf({ request, jobHost }: AdminCall): FunctionFolders {
  const { keys, functionFolders, definition } = jobHost.application;
  const { applicationId } = definition;
  if (functionFolders === undefined) throw adminErrors.create('FUNCTION_EDIT_READ_ONLY', { applicationId });
  if (keys === undefined && !isFromHere(request)) throw adminErrors.create('FUNCTION_EDIT_FOREIGN');
  return functionFolders;
}

/**
 * True for a caller on this machine that calls it by a name of this machine, and is no page of another site: neither another
 * machine, nor a page whose host name leads here, writes code that runs.
 */
function isFromHere({ socket, headers: { host = '', origin } }: IncomingMessage): boolean {
  const isLoopback = ['127.0.0.1', '::1', '::ffff:127.0.0.1'].includes(socket.remoteAddress ?? '');
  return isLoopback && isLocalUrl(`http://${host}`) && (origin === undefined || isLocalUrl(origin));
}

function isLocalUrl(text: string): boolean {
  return URL.canParse(text) && /^(?:(?:.+\.)?localhost|127\.0\.0\.1|\[::1\])$/.test(new URL(text).hostname);
}

/** What the body wants; keys in any case, as everywhere in the official host. */
function parseContent(body: string): FunctionContent {
  const wanted = parseObject(body);
  const files = readKey(wanted, 'files') ?? undefined;
  const config = readKey(wanted, 'config') ?? undefined;
  if (files !== undefined && !isJsonObject(files)) throw invalid('"files" is no JSON object');
  if (config !== undefined && !isJsonObject(config)) throw invalid('"config" is no JSON object');
  const texts = Object.entries(files ?? {}).map(([name, text]): [string, string] => {
    if (typeof text !== 'string') throw invalid(`"files" holds no text for '${name.slice(0, 200)}'`);
    return [name, text];
  });
  return {
    files: files === undefined ? undefined : new Map(texts),
    config: config === undefined ? undefined : `${JSON.stringify(config, undefined, 2)}\n`,
  };
}

function parseObject(body: string): JsonObject {
  const value = parseJsonText(body, 'The body');
  if (!isJsonObject(value)) throw invalid('it is no JSON object');
  return value;
}

function inCode({ application }: JobHost): Error {
  return adminErrors.create('FUNCTION_EDIT_IN_CODE', { applicationId: application.definition.applicationId });
}

function invalid(reason: string): Error {
  return adminErrors.create('FUNCTION_EDIT_INVALID', { reason });
}
