import type { FlagDefinition, FlagValue } from './command.ts';

/** A value of a flag's kind, or what is wrong with the text. */
export type Reading<T> =
  | { readonly kind: 'read'; readonly value: T }
  | { readonly kind: 'wrong'; readonly message: string };

/** What cannot be understood, in a sentence for the user. */
export const wrong = (message: string): { readonly kind: 'wrong'; readonly message: string } => ({
  kind: 'wrong',
  message,
});

/** Spellings of a switch outside the command line, where it stands without a value. */
const switchTexts: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['yes', true],
  ['on', true],
  ['false', false],
  ['0', false],
  ['no', false],
  ['off', false],
]);

/** Reads a text as a flag's kind wants it; `name` is what the user wrote it for. */
export function readValue(name: string, definition: FlagDefinition, text: string): Reading<FlagValue> {
  switch (definition.kind) {
    case 'text':
      return { kind: 'read', value: text };
    case 'list':
      return { kind: 'read', value: [text] };
    case 'integer':
      return readInteger(name, definition, text);
    case 'switch': {
      const value = switchTexts.get(text.toLowerCase());
      return value === undefined ? wrong(`${name} must be true or false, not '${text}'.`) : { kind: 'read', value };
    }
  }
}

function readInteger(
  name: string,
  { minimum, maximum }: Extract<FlagDefinition, { kind: 'integer' }>,
  text: string,
): Reading<number> {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= minimum && number <= maximum) return { kind: 'read', value: number };
  return wrong(`${name} must be a whole number from ${minimum} to ${maximum}, not '${text}'.`);
}
