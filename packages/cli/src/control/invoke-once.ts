/** What `invoke` sends and shows. */
import { isUtf8 } from 'node:buffer';
import { writeFile } from 'node:fs/promises';
import { STATUS_CODES } from 'node:http';
import { resolve } from 'node:path';
import { messageOf } from '@switchyard/kernel';
import { type InvokeAnswer, type InvokeRequest, invokeRequestSchema } from '@switchyard/protocol/control-api';
import type { CommandContext } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CallOptions, ControlClient } from './control-client.ts';
import { controlErrors } from './errors.ts';
import { controlLimits } from './limits.ts';
import { readInput } from './read-input.ts';

export interface InvocationFlags {
  readonly data: string | undefined;
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly header: readonly string[] | undefined;
}

export interface ShowFlags {
  readonly include: boolean;
  readonly output: string | undefined;
  readonly json: boolean;
}

/** What the flags ask for. Rejects with what is wrong with one of them. */
export async function toInvocation(
  { data, method, path, header }: InvocationFlags,
  context: CommandContext,
  signal: AbortSignal,
): Promise<InvokeRequest> {
  const request = {
    ...(method === undefined ? {} : { method: method.toUpperCase() }),
    ...(path === undefined ? {} : { path }),
    ...(header === undefined ? {} : { headers: toHeaders(header) }),
  };
  const checked = invokeRequestSchema.safeParse(request);
  const issue = checked.error?.issues[0];
  if (issue !== undefined)
    throw controlErrors.create('INVOCATION_INVALID', { flag: flagOf(issue.path[0]), reason: issue.message });
  if (data === undefined) return request;
  const input = await readInput(data, context, signal);
  const encoding = isUtf8(input) ? 'utf8' : 'base64';
  return { ...request, input: input.toString(encoding), encoding };
}

function flagOf(field: PropertyKey | undefined): string {
  return field === 'headers' ? 'header' : String(field);
}

function toHeaders(texts: readonly string[]): Readonly<Record<string, string>> {
  const headers = new Map<string, string>();
  for (const text of texts) {
    const colon = text.indexOf(':');
    const name = text.slice(0, Math.max(0, colon)).trim().toLowerCase();
    const value = text.slice(colon + 1).trim();
    // What a program put into a header by mistake could be a secret: the value is not quoted.
    if (!/^(?!__proto__$)[\w!#$%&'*+.^`|~-]+$/.test(name) || /[\r\n\0]/.test(value))
      throw controlErrors.create('HEADER_INVALID', { text: name === '' ? text.slice(0, 20) : name });
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return Object.fromEntries(headers);
}

/** Calls the function and shows the answer. Returns the exit code: an answer of status 400 or more is a failure. */
export async function invokeOnce(
  client: ControlClient,
  call: CallOptions<'invokeFunction'>,
  flags: ShowFlags,
  context: CommandContext,
): Promise<number> {
  const answer = await client.call('invokeFunction', { ...call, timeoutMs: controlLimits.invokeMs });
  const exitCode = answer.status < 400 ? exitCodes.done.code : exitCodes.failed.code;
  if (flags.json) {
    context.stdout.write(`${JSON.stringify(answer)}\n`);
    return exitCode;
  }
  const title = `${answer.status} ${STATUS_CODES[answer.status] ?? ''}`.trimEnd();
  context.stderr.write(`${title} in ${Math.round(answer.durationMs)} ms\n`);
  if (flags.include) context.stdout.write(toHead(title, answer));
  await showBody(answer, flags, context);
  return exitCode;
}

function toHead(title: string, { headers }: InvokeAnswer): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [title, ...lines, '', ''].join('\n');
}

async function showBody(answer: InvokeAnswer, { output }: ShowFlags, context: CommandContext): Promise<void> {
  const bytes = Buffer.from(answer.body, answer.encoding);
  if (output !== undefined) {
    const path = resolve(context.workingDirectory, output);
    await writeFile(path, bytes).catch((error: unknown) => {
      throw controlErrors.create('OUTPUT_UNWRITABLE', { path, reason: messageOf(error) }, error);
    });
    return;
  }
  if (!isUtf8(bytes)) {
    const type = answer.headers['content-type'] ?? 'without a content type';
    throw controlErrors.create('ANSWER_NOT_TEXT', { sizeBytes: bytes.length, type });
  }
  const text = bytes.toString('utf8');
  // At a terminal the prompt belongs on a line of its own; a program gets the bytes as they are.
  const end = context.stdout.isTTY === true && text !== '' && !text.endsWith('\n') ? '\n' : '';
  if (text !== '') context.stdout.write(`${text}${end}`);
}
