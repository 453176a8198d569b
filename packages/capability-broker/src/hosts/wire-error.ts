import { isPlatformError } from '@switchyard/kernel';
import { capabilityErrors } from '../errors.ts';

/** What of a foreign error is kept: enough to understand it, too little to fill a log. */
const maxMessageLength = 2_000;

/** What there is to call on the objects that a session begins with. */
const methods = 'authenticate(token), whose answer has list, acquire, release and health';

/**
 * The error that leaves for a peer: message, code and whether to try again. Stack, cause and details stay here, because
 * they may tell of other accounts.
 */
export function toWireError(error: Error): Error {
  const method = unknownMethodOf(error);
  if (method !== undefined) {
    return toWireError(capabilityErrors.create('METHOD_NOT_FOUND', { name: 'broker', method, methods }));
  }
  const plain = Object.assign(new Error(error.message.slice(0, maxMessageLength)), propertiesOf(error));
  plain.stack = '';
  return plain;
}

/** The method that a caller has asked an object of the session for, and that it does not have: the library says it so. */
function unknownMethodOf(error: Error): string | undefined {
  return error instanceof TypeError ? /^'([^']{1,100})' is not a function\.$/.exec(error.message)?.[1] : undefined;
}

function propertiesOf(error: Error): { readonly code: string; readonly retryable: boolean } {
  if (isPlatformError(error)) return { code: error.code, retryable: error.retry !== 'never' };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'CAPABILITY_FAILED';
  const retryable = 'retryable' in error && error.retryable === true;
  return { code, retryable };
}
