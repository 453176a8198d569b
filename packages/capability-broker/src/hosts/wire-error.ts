import { isPlatformError } from '@switchyard/kernel';

/** What of a foreign error is kept: enough to understand it, too little to fill a log. */
const maxMessageLength = 2_000;

/**
 * The error that leaves for a peer: message, code and whether to try again. Stack, cause and details stay here, because
 * they may tell of other accounts.
 */
export function toWireError(error: Error): Error {
  const plain = Object.assign(new Error(error.message.slice(0, maxMessageLength)), propertiesOf(error));
  plain.stack = '';
  return plain;
}

function propertiesOf(error: Error): { readonly code: string; readonly retryable: boolean } {
  if (isPlatformError(error)) return { code: error.code, retryable: error.retry !== 'never' };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'CAPABILITY_FAILED';
  const retryable = 'retryable' in error && error.retryable === true;
  return { code, retryable };
}
