import type { HttpAsk, HttpReply } from '@switchyard/protocol/http-exchange';
import { describe, expect, it } from 'vitest';
import { createOpenIdFetch, type OpenIdOptions, toOpenIdCredential } from './open-id-token.ts';

const issuer = 'https://id.example/tenant';
const options: OpenIdOptions = {
  ...{ issuer, clientId: 'cli', clientSecret: 'p:w', refreshToken: 's3cret-1', authority: undefined },
};

const tokenOf = (claims: object): string => `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.y`;
const described = { issuer, token_endpoint: 'https://id.example/token' };
const json = (value: unknown, status = 200): HttpReply => ({ status, text: JSON.stringify(value) });

function open(replies: readonly (HttpReply | Error)[], more: Partial<OpenIdOptions> = {}) {
  const asked: HttpAsk[] = [];
  const left = [...replies];
  const fetch = createOpenIdFetch(
    {
      readText: async (path) => `content of ${path}`,
      exchange: async (ask) => {
        asked.push(ask);
        const reply = left.shift() ?? new Error('away');
        if (reply instanceof Error) throw reply;
        return reply;
      },
    },
    { ...options, ...more },
  );
  return { asked, fetch };
}

describe('createOpenIdFetch', () => {
  it('renews the token by the one that the login or the last answer has left', async () => {
    const token = tokenOf({ exp: 2_000_000_000 });
    const answer = json({ id_token: token, refresh_token: 's3cret-2' });
    const { asked, fetch } = open([json(described), answer, json(described), json({ id_token: token })]);
    expect(await fetch()).toEqual(toOpenIdCredential(token));
    await fetch();
    expect(asked.map(({ method, url }) => `${method} ${url}`)).toEqual(
      new Array(2).fill([`GET ${issuer}/.well-known/openid-configuration`, 'POST https://id.example/token']).flat(),
    );
    const [, first, , second] = asked;
    expect(first?.headers.authorization).toBe(`Basic ${Buffer.from('cli:p%3Aw').toString('base64')}`);
    expect([first?.body, second?.body]).toEqual(
      ['s3cret-1', 's3cret-2'].map((held) => `grant_type=refresh_token&refresh_token=${held}`),
    );
  });

  it('says who it is in the form where the issuer wants that, and believes the authority that is named', async () => {
    const found = json({ ...described, token_endpoint_auth_methods_supported: ['client_secret_post'] });
    const { asked, fetch } = open([found, json({ id_token: 'x' })], { authority: { kind: 'file', path: '/idp.crt' } });
    expect(await fetch()).toMatchObject({ token: 'x', expiresAtMs: 0 });
    expect(Object.fromEntries(new URLSearchParams(asked[1]?.body))).toMatchObject({
      client_id: 'cli',
      client_secret: 'p:w',
    });
    expect(asked.map(({ connection }) => connection)).toEqual(new Array(2).fill({ ca: 'content of /idp.crt' }));
  });

  it.each<readonly [string, readonly (HttpReply | Error)[], Partial<OpenIdOptions>, RegExp]>([
    ['there is nothing to renew it by', [], { refreshToken: undefined }, /none to renew it by/],
    ['nobody answers', [], {}, /away/],
    ['it is another issuer', [json({ ...described, issuer: 'https://other' })], {}, /does not describe itself/],
    ['it sends tokens in clear', [json({ ...described, token_endpoint: 'http://id/token' })], {}, /does not describe/],
    ['it refuses', [json(described), json({ error: 'invalid_grant' }, 400)], {}, /status 400: invalid_grant/],
    ['it answers with a page', [json(described), { status: 200, text: 's3cret-page' }], {}, /gives no token/],
  ])('says so when %s, and shows no token', async (_what, replies, more, message) => {
    const failure = await open(replies, more)
      .fetch()
      .catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ code: 'CLUSTER_CREDENTIALS_MISSING', message: expect.stringMatching(message) });
    expect(String(failure)).not.toContain('s3cret');
  });
});
