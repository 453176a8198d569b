import { Secret } from '@switchyard/kernel';
import { describe, expect, it } from 'vitest';
import { renewOverHttp } from './renew-over-http.ts';

const url = 'https://control.example/v1/tokens/renew';
const signal = new AbortController().signal;

const answer = (status: number, body: string) => async () => new Response(body, { status });

describe('renewOverHttp', () => {
  it('shows the old token, and takes the new one', async () => {
    const asked: [string, RequestInit][] = [];
    const renewed = await renewOverHttp(
      async (...request) => {
        asked.push(request);
        return new Response('{"token":"new"}');
      },
      url,
      new Secret('old'),
      signal,
    );
    expect(renewed.reveal()).toBe('new');
    expect(asked).toMatchObject([
      [url, { method: 'POST', redirect: 'error', headers: { authorization: 'Bearer old' } }],
    ]);
  });

  it.each([
    ['another status', 403, '{"token":"new"}', 'answered 403'],
    ['no JSON', 200, 'new', 'no token'],
    ['another shape', 200, '{"jwt":"new"}', 'no token'],
    ['an empty token', 200, '{"token":""}', 'no token'],
    ['a list', 200, '["new"]', 'no token'],
    ['null', 200, 'null', 'no token'],
    ['too much', 200, JSON.stringify({ token: 'x'.repeat(20_000) }), 'characters'],
  ])('refuses %s, without the token in its message', async (_what, status, body, message) => {
    const renewing = renewOverHttp(answer(status, body), url, new Secret('old-secret'), signal);
    await expect(renewing).rejects.toThrow(message);
    await expect(renewing).rejects.not.toThrow('old-secret');
  });
});
