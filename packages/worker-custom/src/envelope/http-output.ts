import { RpcHttp, type TypedData } from '@switchyard/protocol';
import { setCookieNames } from '../set-cookie-names.ts';
import { isPlainObject } from './exact-json.ts';

/**
 * The HTTP response that an answer describes: `{"statusCode" or "status", "headers", "body"}` in any case, the object
 * itself or a text that holds it. Undefined when the value is no object.
 */
export function toHttpOutput(value: unknown): TypedData | undefined {
  const object = typeof value === 'string' ? parseObject(value) : value;
  if (!isPlainObject(object)) return undefined;
  const parts = new Map(Object.entries(object).map(([name, part]) => [name.toLowerCase(), part ?? undefined]));
  const status = parts.get('statuscode') ?? parts.get('status');
  const http: RpcHttp = {
    ...RpcHttp.decode(new Uint8Array()),
    statusCode: status === undefined || status === '' ? '200' : String(status),
    headers: toHeaders(parts.get('headers')),
    body: toBody(parts.get('body')),
  };
  return { data: { $case: 'http', value: http } };
}

/** Always there: hosts take a response without a body for the content itself. */
function toBody(body: unknown): TypedData {
  if (body === undefined) return { data: undefined };
  if (typeof body === 'string') return { data: { $case: 'string', value: body } };
  return { data: { $case: 'json', value: JSON.stringify(body) } };
}

/** A list of values becomes one line, but for cookies: each of them needs a line of its own. */
function toHeaders(headers: unknown): Map<string, string> {
  const lines = new Map<string, string>();
  if (!isPlainObject(headers)) return lines;
  const cookieNames = setCookieNames();
  for (const [name, value] of Object.entries(headers)) {
    const values = (Array.isArray(value) ? value : [value]).map(toText);
    if (name.toLowerCase() !== 'set-cookie') lines.set(name, values.join(', '));
    else for (const cookie of values) lines.set(cookieNames(), cookie);
  }
  return lines;
}

function toText(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function parseObject(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
