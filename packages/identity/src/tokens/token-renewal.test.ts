import { VirtualClock } from '@switchyard/testkit';
import { beforeAll, describe, expect, it } from 'vitest';
import { audiences, type TokenGrant } from '../claims/token-claims.ts';
import { createTestInstallation, type TestInstallation } from '../testing/installation.ts';
import { sampleWorker } from '../testing/sample-grants.ts';
import { createTokenRenewal, type TokenRenewal } from './token-renewal.ts';

const { kind: _kind, ...worker } = sampleWorker;
const { tenantId: _tenant, application: _application, ...placeholder } = worker;
const hourMs = 3_600_000;

let clock: VirtualClock;
let installation: TestInstallation;

beforeAll(async () => {
  clock = new VirtualClock();
  installation = await createTestInstallation(clock);
});

function renew(token: string, mayRenew: (grant: TokenGrant) => boolean = () => true): Promise<TokenRenewal> {
  const verifier = installation.verifier(audiences.runtime);
  return createTokenRenewal({ verifier, issuer: installation.issuer, mayRenew })(token);
}

describe('the renewal of a token', () => {
  it.each([
    ['worker', () => installation.issuer.worker(worker)],
    ['placeholder', () => installation.issuer.placeholder(placeholder)],
  ])('gives a %s the same grant for a new time', async (_kindOfToken, issue) => {
    const verifier = installation.verifier(audiences.runtime);
    const first = (await issue()).reveal();
    const before = await verifier.verify(first);
    await clock.advance(23 * hourMs);
    const renewal = await renew(first);
    const second = renewal.kind === 'renewed' ? renewal.token.reveal() : '';
    await clock.advance(2 * hourMs);
    expect(await verifier.verify(first)).toMatchObject({ code: 'TOKEN_EXPIRED' });
    const after = await verifier.verify(second);
    const claims = before.kind === 'valid' ? before.claims : undefined;
    expect(after).toEqual({
      kind: 'valid',
      claims: {
        ...claims,
        tokenId: expect.not.stringMatching(claims?.tokenId ?? ''),
        issuedAtMs: (claims?.issuedAtMs ?? 0) + 23 * hourMs,
        expiresAtMs: (claims?.expiresAtMs ?? 0) + 23 * hourMs,
      },
    });
  });

  it('is refused for a token that has ended, or is of another kind', async () => {
    const token = (await installation.issuer.worker(worker)).reveal();
    await clock.advance(25 * hourMs);
    expect(await renew(token)).toMatchObject({ kind: 'refused', code: 'TOKEN_EXPIRED' });
    const assign = (await installation.issuer.assign({ podId: 'w-1' })).reveal();
    expect(await renew(assign)).toMatchObject({ kind: 'refused', code: 'TOKEN_AUDIENCE' });
  });

  it('is refused for a worker that is not wanted any more', async () => {
    const token = (await installation.issuer.worker(worker)).reveal();
    const asked: TokenGrant[] = [];
    const renewal = await renew(token, (grant) => {
      asked.push(grant);
      return false;
    });
    expect(renewal).toMatchObject({ kind: 'refused', code: 'TOKEN_UNWANTED', status: 7, http: 403 });
    expect(asked).toMatchObject([sampleWorker]);
  });
});
