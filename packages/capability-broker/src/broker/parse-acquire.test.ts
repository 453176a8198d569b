import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseAcquire } from './parse-acquire.ts';

test('both shapes of the founding document are one', () => {
  expect(parseAcquire({ required: ['a'], optional: ['b', 'a'], version: '>=8.0' })).toMatchObject({
    ...{ required: ['a'], optional: ['b'], range: '>=8.0', timeoutMs: 10_000, preferLocal: true, allowColdStart: true },
  });
  expect(parseAcquire({ capabilities: ['a', 'a'], timeout: 5, preferLocal: false })).toMatchObject({
    ...{ required: ['a'], timeoutMs: 5, preferLocal: false },
  });
  expect(parseAcquire({ required: ['a'], timeout: 1e9 }).timeoutMs).toBe(120_000);
  expect(parseAcquire({ required: ['a'], versions: { a: '^1' } }).ranges.get('a')).toBe('^1');
});

test.each([
  [null, 'it is no object'],
  [[], 'it is no object'],
  [{}, 'it names no capability'],
  [{ required: 'a' }, "'required' is no list"],
  [{ required: ['A!'] }, "'required' holds 'A!', which is no name"],
  [{ required: ['a'], version: 'newest' }, "'version' is 'newest', which is no semver range"],
  [{ required: ['a'], versions: { a: 7 } }, "'versions.a' is 7"],
  [{ required: ['a'], timeout: Number.NaN }, "'timeout' is NaN"],
  [JSON.parse('{"__proto__": {"required": ["a"]}}'), 'it names no capability'],
  [{ required: Array.from({ length: 65 }, (_, index) => `a${index}`) }, 'at most 64'],
])('refuses %j', (message, reason) => {
  expect(() => parseAcquire(message)).toThrow(reason);
});

test('anything at all is parsed or refused as invalid', () => {
  fc.assert(
    fc.property(fc.anything({ maxDepth: 3 }), (message) => {
      try {
        expect(parseAcquire(message).required.length).toBeGreaterThanOrEqual(0);
      } catch (error) {
        expect(error).toMatchObject({ code: 'INVALID_PAYLOAD' });
      }
    }),
  );
});

test('whatever arrives is a request within the limits, or INVALID_PAYLOAD', () => {
  const names = fc.array(fc.oneof(fc.constantFrom('a', 'b.c', '__proto__'), fc.string(), fc.jsonValue()), {
    maxLength: 4,
  });
  const field = fc.oneof(names, fc.jsonValue());
  const request = fc.record(
    { required: field, optional: field, capabilities: field, version: field, versions: field, timeout: field },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(request, fc.jsonValue()), (message) => {
      try {
        const parsed = parseAcquire(message);
        expect(parsed.required.length + parsed.optional.length).toBeGreaterThan(0);
        expect(parsed.timeoutMs).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toMatchObject({ code: 'INVALID_PAYLOAD' });
      }
    }),
  );
});
