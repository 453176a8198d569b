import { describe, expect, it } from 'vitest';
import { fetchByProgram, type ProgramEnd } from './credential-program.ts';

const options = {
  ...{ program: 'login', words: ['get-token'], environment: { REGION: 'north' }, execInfo: '{"a":1}' },
  installHint: 'Get it from the cloud.',
};

const printed = (status: object): ProgramEnd => ({
  ...{ kind: 'exited', code: 0, stderr: '' },
  stdout: JSON.stringify({ kind: 'ExecCredential', status }),
});

const fetch = (end: ProgramEnd) => fetchByProgram(async () => end, options);

const secret = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl';
const stdout = `{"kind":"ExecCredential","status":{"token":"${secret}"`;

describe('fetchByProgram', () => {
  it('runs it with a deadline, with what it is told', async () => {
    const runs: unknown[] = [];
    await fetchByProgram(async (...run) => {
      runs.push(run);
      return printed({ token: 't' });
    }, options);
    const environment = { REGION: 'north', KUBERNETES_EXEC_INFO: '{"a":1}' };
    expect(runs).toEqual([['login', ['get-token'], { environment, timeoutMs: 25_000 }]]);
  });

  it('takes a token, and a certificate with its key', async () => {
    expect(await fetch(printed({ token: 't', expirationTimestamp: '2030-01-01T00:00:00+01:00' }))).toMatchObject({
      ...{ token: 't', expiresAtMs: Date.parse('2029-12-31T23:00:00Z') },
    });
    const pair = { clientCertificateData: 'c', clientKeyData: 'k', expirationTimestamp: null };
    expect(await fetch(printed(pair))).toEqual({
      ...{ token: undefined, certificate: 'c', key: 'k', expiresAtMs: Number.POSITIVE_INFINITY },
    });
  });

  it.each<readonly [string, ProgramEnd, RegExp]>([
    ['what is cut off', { kind: 'exited', code: 0, stdout, stderr: secret }, /no ExecCredential/],
    ['half a pair', printed({ clientCertificateData: 'c' }), /no ExecCredential/],
    ['a time that is none', printed({ token: secret, expirationTimestamp: 'soon' }), /no ExecCredential/],
    ['a failure', { kind: 'exited', code: 2, stdout, stderr: `old: ${secret}` }, /ended with 2: old: \*\*\*\. /],
    ['a program that hangs', { kind: 'stopped', reason: 'it has not ended within 25000 ms' }, /within 25000 ms\. /],
    ['one that is not there', { kind: 'not-started', reason: 'ENOENT' }, /'login'.*ENOENT; Get it from the cloud/],
  ])('says what is wrong with %s, and shows no token', async (_what, end, message) => {
    const failure = await fetch(end).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ code: 'CLUSTER_CREDENTIALS_MISSING', message: expect.stringMatching(message) });
    expect(JSON.stringify([String(failure), failure])).not.toContain('eyJ');
  });
});
