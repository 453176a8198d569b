import { refuseParameter, shorten } from '../parameters.ts';

/** How values are written into the text around them. */
export type Escaping = 'none' | 'html' | 'json' | 'url';

export const escapings: readonly Escaping[] = ['none', 'html', 'json', 'url'];

/** What a filled template may come to, in characters. */
const maxResultLength = 4 * 1024 * 1024;

/**
 * Fills in `{{name}}` from values; `{{{{` and `}}}}` stand for the braces themselves. A name without a value fails with
 * PARAMETER_INVALID: a gap in a text is never wanted. Templates hold no logic, so they may come from anybody.
 */
export function fillTemplate(
  template: string,
  values: Readonly<Record<string, unknown>>,
  escaping: Escaping = 'none',
): string {
  let length = 0;
  return template.replace(/\{\{\{\{|\}\}\}\}|\{\{([^{}]*)\}\}/g, (match, name: string | undefined) => {
    const piece = name === undefined ? match.slice(0, 2) : escapeWith[escaping](textFor(values, name.trim()));
    length += piece.length;
    if (length > maxResultLength)
      refuseParameter('The template', `it comes to more than ${maxResultLength} characters`);
    return piece;
  });
}

function textFor(values: Readonly<Record<string, unknown>>, name: string): string {
  const value = Object.hasOwn(values, name) ? values[name] : undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  return refuseParameter(
    'The template',
    `it names '${shorten(name)}', and the values hold no text or number of that name`,
  );
}

const htmlEntities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escapeWith: Readonly<Record<Escaping, (text: string) => string>> = {
  none: (text) => text,
  html: (text) => text.replace(/[&<>"']/g, (character) => htmlEntities[character] ?? character),
  json: (text) => JSON.stringify(text).slice(1, -1),
  url: (text) => encodeURIComponent(text.toWellFormed()),
};
