import { Secret } from '@switchyard/kernel';

/** A longer answer is no token. */
const maxAnswerLength = 16_384;

/** Shows a token that still holds, and gets its successor: `POST`, answered by 200 and `{"token": "..."}`. */
export async function renewOverHttp(
  send: (url: string, init: RequestInit) => Promise<Response>,
  url: string,
  token: Secret,
  signal: AbortSignal,
): Promise<Secret> {
  const headers = { authorization: `Bearer ${token.reveal()}`, accept: 'application/json' };
  const response = await send(url, { method: 'POST', headers, redirect: 'error', signal });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${url} answered ${response.status} instead of 200`);
  if (text.length > maxAnswerLength) throw new Error(`${url} answered ${text.length} characters, which is no token`);
  const renewed = readToken(text);
  if (renewed === undefined) throw new Error(`${url} answered no token`);
  return new Secret(renewed);
}

function readToken(text: string): string | undefined {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json !== 'object' || json === null || !Object.hasOwn(json, 'token')) return undefined;
    const { token } = json as { token: unknown };
    return typeof token === 'string' && token !== '' ? token : undefined;
  } catch {
    return undefined;
  }
}
