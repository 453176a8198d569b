import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleClaims, sampleStamp, sampleWorker } from '../testing/sample-grants.ts';
import { parseClaims } from './parse-claims.ts';
import { toPayload } from './to-payload.ts';
import { audiences, type TokenClaims } from './token-claims.ts';

const text = fc.string({ minLength: 1, maxLength: 40 });
const note = fc.string({ maxLength: 40 });
const timeMs = fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => seconds * 1_000);
const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);
const scope = fc.stringMatching(/^[a-z:.-]{1,12}$/);

const stamp = fc.record(
  { issuer: text, tokenId: text, issuedAtMs: timeMs, expiresAtMs: timeMs, notBeforeMs: timeMs },
  { requiredKeys: ['issuer', 'tokenId', 'issuedAtMs', 'expiresAtMs'] },
);
const worker = { workerId: text, language: note, languageVersion: note, instanceId: note };
const application = fc.record({ applicationId: label, metadataVersion: text, codeVersion: text });
const grant = fc.oneof(
  fc.record({ kind: fc.constant('worker' as const), tenantId: text, application, ...worker }),
  fc.record({ kind: fc.constant('placeholder' as const), ...worker }),
  fc.record({ kind: fc.constant('assign' as const), podId: text }),
  fc.record({
    kind: fc.constant('control' as const),
    subject: text,
    tenants: fc.oneof(fc.constant('*' as const), fc.array(text, { maxLength: 5 })),
    scopes: fc.array(scope, { maxLength: 5 }),
  }),
);

/** The payload of a good token, as JSON would give it. */
function payload(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return JSON.parse(JSON.stringify({ ...toPayload(sampleClaims(1_700_000_000_000)), ...changes }));
}

describe('the claims of a token', () => {
  it('come back from the payload as they went in', () => {
    fc.assert(
      fc.property(grant, stamp, (someGrant, someStamp) => {
        const claims = { ...someGrant, ...someStamp } as TokenClaims;
        const json: unknown = JSON.parse(JSON.stringify(toPayload(claims)));
        expect(parseClaims(json)).toEqual({ kind: 'parsed', claims });
      }),
    );
  });

  it('are read from any JSON without harm', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...Object.values(audiences)), (json, aud) => {
        expect(parseClaims(json).kind).toBe('invalid');
        if (typeof json === 'object' && json !== null) expect(parseClaims({ ...json, aud }).kind).toBe('invalid');
      }),
    );
  });

  it('of a worker have the names of the worker model', () => {
    expect(payload()).toEqual({
      iss: 'functions-scale-controller',
      aud: 'functions-runtime',
      sub: 'w-1',
      iat: 1_700_000_000,
      exp: 1_700_003_600,
      jti: 'token-1',
      scope: 'worker',
      app_id: 'shop',
      metadata_version: 'm1',
      code_version: 'c1',
      tenant_id: 'contoso',
      language: 'node',
      language_version: '24',
      instance_id: 'pod-1',
      is_placeholder: false,
    });
  });

  it.each([
    ['sub', ''],
    ['sub', 7],
    ['sub', 'x'.repeat(513)],
    ['jti', undefined],
    ['iat', '1700000000'],
    ['exp', -1],
    ['exp', 1e300],
    ['exp', null],
    ['nbf', 'soon'],
    ['app_id', 'Not A Label'],
    ['metadata_version', undefined],
    ['code_version', {}],
    ['tenant_id', undefined],
    ['language', undefined],
    ['is_placeholder', 'false'],
    ['is_placeholder', undefined],
    ['scope', 'placeholder'],
    ['aud', 'somebody'],
    ['aud', ['functions-runtime']],
  ])("are refused when '%s' is %j", (claim, value) => {
    expect(parseClaims(payload({ [claim]: value }))).toMatchObject({ kind: 'invalid', claim });
  });

  it.each(['app_id', 'tenant_id'])("of a placeholder may not hold '%s'", (claim) => {
    const { tenantId: _tenant, application: _application, ...waiting } = sampleWorker;
    const placeholder = toPayload({ ...waiting, ...sampleStamp(0), kind: 'placeholder' });
    expect(parseClaims(placeholder).kind).toBe('parsed');
    expect(parseClaims({ ...placeholder, [claim]: 'shop' })).toMatchObject({ kind: 'invalid', claim });
  });

  it.each([[undefined], ['contoso'], [['']], [[7]], [Array.from({ length: 101 }, (_, index) => `t${index}`)]])(
    'of the control API are refused with the tenants %j',
    (tenants) => {
      const control = toPayload({ kind: 'control', subject: 's', tenants: '*', scopes: [], ...sampleStamp(0) });
      expect(parseClaims({ ...control, tenants })).toMatchObject({ kind: 'invalid', claim: 'tenants' });
    },
  );

  it('are not taken from a prototype', () => {
    const hostile: unknown = JSON.parse(`{"__proto__":${JSON.stringify(payload())}}`);
    expect(parseClaims(hostile).kind).toBe('invalid');
    expect(parseClaims(Object.create(payload())).kind).toBe('invalid');
  });
});
