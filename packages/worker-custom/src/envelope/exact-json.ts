/**
 * JSON whose numbers keep every digit. An id beyond 2^53 would otherwise change on its way through the worker.
 */
interface ExactJson {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
}

const exact = JSON as unknown as ExactJson;

/** Only a text with such a run of digits can hold a number that a double cannot. */
const longNumber = /\d{16}|\d[eE]|\.\d{15}/;

/** Parses a text; numbers that a double cannot hold become values that `JSON.stringify` writes as they stood. */
export function parseExactJson(text: string): unknown {
  if (!longNumber.test(text)) return JSON.parse(text);
  return exact.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source ? exact.rawJSON(source) : value,
  );
}

/** True for a JSON object: no list, no null, no number that was kept as its text. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRaw(value);
}

function isRaw(value: object): boolean {
  return (JSON as unknown as { isRawJSON(value: unknown): boolean }).isRawJSON(value);
}
