import { cliErrors } from '../errors.ts';
import { nearest } from '../suggestion.ts';

export type Language = 'typescript' | 'javascript';

/** The two ways to register functions: in code, or in function.json files. */
export type Model = 'v4' | 'v3';

export type AuthLevel = 'anonymous' | 'function' | 'admin';

/** Spellings of each language, the one that is shown first. */
export const languages: Readonly<Record<Language, readonly string[]>> = {
  typescript: ['typescript', 'ts'],
  javascript: ['javascript', 'js'],
};

export const models: Readonly<Record<Model, readonly string[]>> = { v4: ['v4', '4'], v3: ['v3', '3'] };

export const authLevels: Readonly<Record<AuthLevel, readonly string[]>> = {
  anonymous: ['anonymous'],
  function: ['function'],
  admin: ['admin'],
};

/** Finds what a text means, in any case. Throws CHOICE_UNKNOWN or CHOICE_MISSING, which list what there is. */
export function choose<Choice extends string>(
  what: string,
  text: string | undefined,
  choices: { readonly [Name in Choice]?: readonly string[] },
): Choice {
  const entries = Object.entries(choices) as [Choice, readonly string[]][];
  const names = entries.map(([name]) => name);
  if (text === undefined) throw cliErrors.create('CHOICE_MISSING', { what, choices: names.join(', ') });
  const wanted = text.toLowerCase();
  const found = entries.find(([, spellings]) => spellings.includes(wanted));
  if (found !== undefined) return found[0];
  const meant = nearest(text, names);
  const hint = meant === undefined ? '' : ` Did you mean '${meant}'?`;
  const value = text.slice(0, 80);
  throw cliErrors.create('CHOICE_UNKNOWN', { what, value, hint, choices: names.join(', ') });
}
