/** The codes that callers of capabilities meet. */
export const capabilityErrorCodes = [
  'CAPABILITY_NOT_FOUND',
  'VERSION_MISMATCH',
  'DEPENDENCY_MISSING',
  'SHARD_UNAVAILABLE',
  'TIMEOUT',
  'RESOURCE_EXHAUSTED',
  'INVALID_PAYLOAD',
  'CIRCUIT_OPEN',
  'CANCELLED',
  'RELEASED',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'METHOD_NOT_FOUND',
  'CAPABILITY_FAILED',
  'CAPABILITY_LOAD_FAILED',
  'DIGEST_MISMATCH',
  'WEB_ADDRESS_REFUSED',
  'BROKER_UNREACHABLE',
] as const;

export type CapabilityErrorCode = (typeof capabilityErrorCodes)[number];

/** An error of the client itself. Errors of the other side arrive as plain errors with the same two properties. */
export class CapabilityError extends Error {
  override readonly name = 'CapabilityError';
  readonly code: CapabilityErrorCode;
  /** True when the same call may succeed later. */
  readonly retryable: boolean;

  constructor(code: CapabilityErrorCode, message: string, retryable = false) {
    super(message);
    this.code = code;
    this.retryable = retryable;
  }
}

/** Capabilities have codes of their own beside these; all are written alike. */
const codePattern = /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$/;

/** Tells an error of a capability, a host or the broker by its properties, wherever it was made. */
export function isCapabilityError(
  thrown: unknown,
): thrown is Error & { readonly code: string; readonly retryable: boolean } {
  return (
    thrown instanceof Error &&
    'code' in thrown &&
    'retryable' in thrown &&
    typeof thrown.retryable === 'boolean' &&
    typeof thrown.code === 'string' &&
    codePattern.test(thrown.code)
  );
}
