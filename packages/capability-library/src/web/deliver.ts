import { libraryErrors } from '../errors.ts';
import { asRecord, fieldOf, refuseParameter } from '../parameters.ts';
import { fetchHttp, type HttpClientDeps } from './http-client.ts';
import { asRequest } from './http-request.ts';
import type { WebOptions } from './web-options.ts';
import { shown } from './web-target.ts';

/** Answers after which the same delivery may do better. */
const passing = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * Sends one request, `{url, method?, headers?, body?}`, to whoever waits for it. Only a status of 200 to 299 counts as
 * delivered; others fail, with WEB_REQUEST_FAILED when a later attempt may do better.
 */
export async function deliver(
  deps: HttpClientDeps,
  options: WebOptions,
  payload: unknown,
  signal: AbortSignal,
): Promise<{ readonly status: number }> {
  const given = { method: 'POST', ...asRecord(payload, 'The payload') };
  const request = asRequest({ signal, traceparent: '' }, fieldOf(given, 'url'), given, options);
  const { status, url } = await fetchHttp(deps, options, request);
  if (status >= 200 && status < 300) return { status };
  const reason = `it answered ${status}`;
  if (passing.has(status)) throw libraryErrors.create('WEB_REQUEST_FAILED', { url: shown(url), reason });
  return refuseParameter(`The delivery to '${shown(url)}'`, reason);
}
