import { RpcHttp, type TypedData } from '@switchyard/protocol';
import type { HandlerReply } from '../handler/ports.ts';
import { setCookieNames } from '../set-cookie-names.ts';

/** Headers of the connection between worker and handler; the body is measured anew on its way to the caller. */
const connectionHeaders: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * A handler's answer as the function's HTTP output: status, headers and body as they came, whatever the status says. A
 * header that stands twice becomes one line, as HTTP allows for all but cookies.
 */
export function toForwardedReply({ status, headers, body }: HandlerReply): TypedData {
  const lines = new Map<string, string>();
  const cookieNames = setCookieNames();
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (connectionHeaders.has(lower)) continue;
    const line = lower === 'set-cookie' ? cookieNames() : lower;
    const before = lines.get(line);
    lines.set(line, before === undefined ? value : `${before}, ${value}`);
  }
  const http: RpcHttp = {
    ...RpcHttp.decode(new Uint8Array()),
    statusCode: String(status),
    headers: lines,
    body: { data: { $case: 'bytes', value: body } },
  };
  return { data: { $case: 'http', value: http } };
}
