/** The code of an answer's `error`; undefined when it has none. */
export function errorCode(json: Readonly<Record<string, unknown>> | undefined): unknown {
  const error = json?.error;
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
