import { inspect } from 'node:util';
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { beforeAll, describe, expect, it } from 'vitest';
import { audiences } from '../claims/token-claims.ts';
import { makeSigningKey, type SigningKey } from '../jose/signing-key.ts';
import { longestTokenMs } from '../keys/key-life.ts';
import { createFixedKeys } from '../keys/key-set.ts';
import { peek } from '../testing/forge.ts';
import { sampleWorker } from '../testing/sample-grants.ts';
import { createTokenIssuer, type TokenIssuer } from './token-issuer.ts';
import { createTokenVerifier } from './token-verifier.ts';

const clock = new VirtualClock();
const now = clock.now() / 1_000;
const dayS = 86_400;
const { kind: _kind, ...worker } = sampleWorker;
const { tenantId: _tenant, application: _application, ...placeholder } = worker;

let key: SigningKey;
let issuer: TokenIssuer;

beforeAll(async () => {
  ({ key } = await makeSigningKey());
  issuer = createTokenIssuer({ clock, random: createSeededRandom(1), keys: { signingKey: async () => key } });
});

describe('the issuer', () => {
  it('signs with RS256 and names the key', async () => {
    const { header } = peek((await issuer.worker(worker)).reveal());
    expect(header).toEqual({ alg: 'RS256', kid: key.publicKey.kid, typ: 'JWT' });
  });

  it('gives a worker a token for a day, a placeholder one without an app, an assignment one for a minute', async () => {
    const payloads = await Promise.all(
      [issuer.worker(worker), issuer.placeholder(placeholder), issuer.assign({ podId: 'pod-1' })].map(
        async (token) => peek((await token).reveal()).payload,
      ),
    );
    expect(payloads).toMatchObject([
      { aud: 'functions-runtime', sub: 'w-1', app_id: 'shop', iat: now, exp: now + dayS, is_placeholder: false },
      { aud: 'functions-runtime', sub: 'w-1', iat: now, exp: now + dayS, is_placeholder: true, scope: 'placeholder' },
      { aud: 'functions-sidecar', sub: 'pod-1', iat: now, exp: now + 60, scope: 'assign' },
    ]);
    expect(payloads[1]).not.toHaveProperty('app_id');
    expect(payloads[1]).not.toHaveProperty('tenant_id');
  });

  it('gives callers of the control API what they may do, and Runtimes their own scope', async () => {
    const someone = { subject: 'alice', tenants: ['contoso'], scopes: ['deploy', 'read'] };
    const tokens = [issuer.control(someone, 3_600_000), issuer.runtime({ runtimeId: 'r-1' })];
    const payloads = await Promise.all(tokens.map(async (token) => peek((await token).reveal()).payload));
    expect(payloads).toMatchObject([
      { aud: 'switchyard-control', sub: 'alice', tenants: ['contoso'], scope: 'deploy read', exp: now + 3_600 },
      { aud: 'switchyard-control', sub: 'r-1', tenants: '*', scope: 'runtime', exp: now + dayS },
    ]);
  });

  it('gives every token an id of its own', async () => {
    const tokens = await Promise.all(Array.from({ length: 20 }, () => issuer.assign({ podId: 'pod-1' })));
    expect(new Set(tokens.map((token) => peek(token.reveal()).payload.jti)).size).toBe(20);
  });

  it.each([0, 999, -1, Number.NaN, Number.POSITIVE_INFINITY, longestTokenMs + 1])(
    'refuses a token that holds for %d ms',
    async (lifetimeMs) => {
      const issued = issuer.control({ subject: 'a', tenants: '*', scopes: [] }, lifetimeMs);
      await expect(issued).rejects.toMatchObject({ code: 'TOKEN_LIFETIME' });
    },
  );

  it('gives tokens out as secrets', async () => {
    const token = await issuer.worker(worker);
    expect(`${token} ${JSON.stringify({ token })} ${inspect({ token })}`).not.toContain(token.reveal().slice(0, 20));
  });

  it('makes tokens for an installation of another name', async () => {
    const other = createTokenIssuer(
      { clock, random: createSeededRandom(2), keys: { signingKey: async () => key } },
      { issuer: 'installation-2', lifetimes: { workerMs: 1_000 } },
    );
    const token = (await other.worker(worker)).reveal();
    const keys = createFixedKeys({ keys: [key.publicKey] });
    const verify = (issuerName?: string) =>
      createTokenVerifier(
        { clock, keys },
        { audience: audiences.runtime, ...(issuerName ? { issuer: issuerName } : {}) },
      ).verify(token);
    expect(await verify('installation-2')).toMatchObject({ kind: 'valid' });
    expect(await verify()).toMatchObject({ kind: 'refused', code: 'TOKEN_ISSUER' });
    expect(peek(token).payload.exp).toBe(now + 1);
  });
});
