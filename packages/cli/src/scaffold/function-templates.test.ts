import { describe, expect, it } from 'vitest';
import { functionTemplates } from './function-templates.ts';

describe('functionTemplates', () => {
  it('has a name of its own for each trigger', () => {
    const names = functionTemplates.flatMap(({ trigger, officialNames }) => [...new Set([trigger, ...officialNames])]);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(functionTemplates)('$trigger registers itself in both models', (template) => {
    const options = { name: 'my-own_1', authLevel: 'function' } as const;
    expect(template.registration(options)).toMatch(/^app\.\w+\('my-own_1', \{\n/);
    const [trigger] = template.bindings(options);
    expect(trigger).toMatchObject({ type: expect.stringMatching(/^\w+Trigger$/), direction: 'in' });
    expect(template.script).toMatch(/^module\.exports = async \(context, \w+\) => \{\n/);
  });

  it('asks for the key that was wanted', () => {
    const http = functionTemplates.find(({ trigger }) => trigger === 'http');
    const options = { name: 'hello', authLevel: 'admin' } as const;
    expect(http?.registration(options)).toContain("authLevel: 'admin'");
    expect(http?.bindings(options)).toMatchObject([{ authLevel: 'admin' }, { type: 'http' }]);
  });
});
