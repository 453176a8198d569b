import { describe, expect, it } from 'vitest';
import { triggerErrors } from './errors.ts';

describe('triggerErrors', () => {
  it.each(Object.entries(triggerErrors.definitions))('%s says what to do', (_code, definition) => {
    expect(definition.message).toMatch(/\. \S.*\.$/);
    expect([200, 400, 500, 503]).toContain(definition.http);
  });
});
