import { describe, expect, it } from 'vitest';
import { identityErrors } from './errors.ts';
import { refuse } from './refusal.ts';

describe('a refusal', () => {
  it('says what the catalogue says', () => {
    expect(refuse('TOKEN_MISSING')).toEqual({
      kind: 'refused',
      code: 'TOKEN_MISSING',
      status: 16,
      http: 401,
      reason: identityErrors.definitions.TOKEN_MISSING.message,
    });
  });

  it('quotes strangers shortly and without control characters', () => {
    const { reason } = refuse('TOKEN_KEY_UNKNOWN', { keyId: `\u001b[31m${'k'.repeat(500)}\u202e` });
    expect(reason).toContain(`'?[31m${'k'.repeat(115)}...'`);
    expect(refuse('TOKEN_EXPIRED', { agoSeconds: 12 }).reason).toContain('ended 12 s ago');
  });
});
