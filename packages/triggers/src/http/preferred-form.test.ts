import { describe, expect, it } from 'vitest';
import { preferredForm } from './preferred-form.ts';

describe('preferredForm', () => {
  it.each([
    ['', undefined],
    ['*/*', undefined],
    ['text/html', undefined],
    ['application/json', 'json'],
    ['text/json', 'json'],
    ['application/problem+json', 'json'],
    ['application/xml', 'xml'],
    ['text/xml; q=0.5', 'xml'],
    ['application/xml, application/json', 'xml'],
    ['application/xml;q=0.5, application/json', 'json'],
    ['application/json;q=0.5, text/plain', undefined],
    ['application/json;q=0', undefined],
    ['application/json;q=x, application/xml;q=0.1', 'xml'],
    ['TEXT/XML', 'xml'],
    ['application/jsonp', undefined],
  ])('of %j is %s', (accept, form) => {
    expect(preferredForm(accept)).toBe(form);
  });
});
