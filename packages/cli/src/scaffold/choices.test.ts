import { describe, expect, it } from 'vitest';
import { choose, languages, models } from './choices.ts';

describe('choose', () => {
  it.each([
    ['typescript', 'typescript'],
    ['TS', 'typescript'],
    ['js', 'javascript'],
  ])('understands %j', (text, language) => {
    expect(choose('language', text, languages)).toBe(language);
  });

  it.each([
    [
      'typscript',
      "There is no language 'typscript'. Did you mean 'typescript'? Choose one of: typescript, javascript.",
    ],
    ['constructor', "There is no language 'constructor'. Choose one of: typescript, javascript."],
    ['', "There is no language ''. Choose one of: typescript, javascript."],
  ])('refuses %j and lists what there is', (text, message) => {
    expect(() => choose('language', text, languages)).toThrow(message);
  });

  it('takes a model with and without its letter', () => {
    expect([choose('model', '4', models), choose('model', 'V3', models)]).toEqual(['v4', 'v3']);
  });
});
