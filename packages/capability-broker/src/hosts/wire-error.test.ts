import { expect, test } from 'vitest';
import { capabilityErrors } from '../errors.ts';
import { toWireError } from './wire-error.ts';

test('an error of the catalogue keeps message, code and whether to try again, and nothing else', () => {
  const error = capabilityErrors.create('CIRCUIT_OPEN', { shard: 's', holdMs: 5 }, new Error('secret'));
  const sent = toWireError(error);
  expect({ ...sent, message: sent.message }).toEqual({ code: 'CIRCUIT_OPEN', retryable: true, message: error.message });
  expect([sent.stack, sent.cause]).toEqual(['', undefined]);
});

test('errors of elsewhere keep a code that they carry, and a short message', () => {
  expect(toWireError(Object.assign(new Error('x'), { code: 'RELEASED', retryable: false }))).toMatchObject({
    code: 'RELEASED',
  });
  expect(toWireError(new Error('y'.repeat(5_000)))).toMatchObject({ code: 'CAPABILITY_FAILED', retryable: false });
  expect(toWireError(new Error('y'.repeat(5_000))).message).toHaveLength(2_000);
});
