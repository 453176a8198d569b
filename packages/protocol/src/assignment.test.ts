import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Assignment, parseAssignment, toAssignmentJson } from './assignment.ts';

const body = {
  runtimeEndpoint: 'http://127.0.0.1:50051',
  application: { id: 'shop', metadataVersion: 'm1', codeVersion: 'c1', tenantId: 'contoso' },
  scriptRoot: '/apps/shop',
  environment: { GREETING: 'hello', WORKER_AUTH_TOKEN: 'from-environment' },
} as const;

function parsed(json: unknown): Assignment {
  const reading = parseAssignment(json);
  if (reading.kind !== 'parsed') throw new Error(`${reading.key} must be ${reading.expected}`);
  return reading.assignment;
}

describe('parseAssignment', () => {
  it('reads an app in a folder', () => {
    const assignment = parsed({ ...body, token: 'abc' });
    expect(assignment).toMatchObject({
      runtimeEndpoint: 'http://127.0.0.1:50051',
      application: { applicationId: 'shop', metadataVersion: 'm1', codeVersion: 'c1' },
      tenantId: 'contoso',
      content: { kind: 'folder', scriptRoot: '/apps/shop' },
    });
    expect(assignment.token?.reveal()).toBe('abc');
  });

  it('takes the token out of the environment, so that the worker never sees it', () => {
    const assignment = parsed(body);
    expect(assignment.token?.reveal()).toBe('from-environment');
    expect([...assignment.environment]).toEqual([['GREETING', 'hello']]);
    expect([...parsed({ ...body, token: 'other' }).environment.keys()]).toEqual(['GREETING']);
  });

  it('reads a package', () => {
    const { scriptRoot: _, ...rest } = body;
    const sha256 = 'AB'.repeat(32);
    expect(parsed({ ...rest, package: { url: 'https://store/x.zip', sha256 } }).content).toEqual({
      kind: 'package',
      url: 'https://store/x.zip',
      sha256: 'ab'.repeat(32),
    });
  });

  it('keeps the token of a package store as a secret, there and back', () => {
    const { scriptRoot: _, ...rest } = body;
    const content = { url: 'https://store/x.zip', sha256: 'ab'.repeat(32), token: 'for-the-store' };
    const assignment = parsed({ ...rest, package: content });
    expect(inspect(assignment, { depth: 5 })).not.toContain('for-the-store');
    expect(toAssignmentJson(assignment)).toMatchObject({ package: content });
    expect(parseAssignment({ ...rest, package: { ...content, token: 7 } })).toMatchObject({ key: 'package.token' });
  });

  it.each([
    ['$', 'text'],
    ['$', null],
    ['$', []],
    ['application', { ...body, application: undefined }],
    ['application.id', { ...body, application: { ...body.application, id: 'No Label' } }],
    ['application.tenantId', { ...body, application: { ...body.application, tenantId: '' } }],
    ['runtimeEndpoint', { ...body, runtimeEndpoint: 7 }],
    ['scriptRoot', { ...body, scriptRoot: undefined }],
    ['scriptRoot', { ...body, package: { url: 'https://x', sha256: 'ab'.repeat(32) } }],
    ['package.sha256', { ...body, scriptRoot: undefined, package: { url: 'https://x', sha256: 'short' } }],
    ['environment', { ...body, environment: ['A=1'] }],
    ['environment.A', { ...body, environment: { A: 1 } }],
    ['token', { ...body, token: '' }],
  ])('names %s when it does not fit', (key, json) => {
    expect(parseAssignment(json)).toMatchObject({ kind: 'invalid', key });
  });

  it('is safe with names that objects have by themselves', () => {
    const json = JSON.parse('{"__proto__": {"x": 1}, "constructor": "c"}') as unknown;
    const environment = parsed({ ...body, environment: { ...JSON.parse('{"__proto__": "p"}'), A: '1' } }).environment;
    expect(parseAssignment(json)).toMatchObject({ kind: 'invalid', key: 'application' });
    expect(environment.get('A')).toBe('1');
  });

  it('prints no token', () => {
    expect(inspect(parsed({ ...body, token: 'very-secret' }), { depth: 9 })).not.toContain('very-secret');
  });

  it('reads what toAssignmentJson writes', () => {
    const text = fc.string({ minLength: 1 });
    const content = fc.oneof(
      fc.record({ kind: fc.constant('folder' as const), scriptRoot: text }),
      fc.record({ kind: fc.constant('package' as const), url: text, sha256: fc.constant('0f'.repeat(32)) }),
    );
    const names = fc.string().filter((name) => name !== '__proto__' && name !== 'WORKER_AUTH_TOKEN');
    fc.assert(
      fc.property(text, content, fc.array(fc.tuple(names, fc.string())), (endpoint, given, entries) => {
        const assignment = {
          runtimeEndpoint: endpoint,
          application: { applicationId: 'app', metadataVersion: endpoint, codeVersion: endpoint },
          tenantId: endpoint,
          content: given,
          environment: new Map(entries),
          token: undefined,
        };
        expect(parsed(JSON.parse(JSON.stringify(toAssignmentJson(assignment))))).toEqual(assignment);
      }),
    );
  });
});
