import { isPlatformError, messageOf } from '@switchyard/kernel';
import type { Problem } from '@switchyard/protocol/control-api';
import { controlErrors } from './errors.ts';

/** What the platform complains of, as an error of the command: message, fix, and an exit code by whose turn it is. */
export function toProblemError({ code, message, fix }: Problem, status: number): Error {
  const text = [message, fix].filter((part) => part !== '').join(' ');
  const details = { text, status, problem: code };
  if (status >= 500 || status === 408 || status === 429) return controlErrors.create('CONTROL_FAILED', details);
  return controlErrors.create(status === 401 || status === 403 ? 'CONTROL_DENIED' : 'CONTROL_REFUSED', details);
}

/** True when the platform said that what was asked about is not there. */
export function isNotFound(error: unknown): boolean {
  return isPlatformError(error) && error.code === 'CONTROL_REFUSED' && error.details.status === 404;
}

/** Errors of sockets in words. */
const reasons: ReadonlyMap<unknown, string> = new Map([
  ['ECONNREFUSED', 'the connection was refused'],
  ['ECONNRESET', 'the connection was cut'],
  ['ENOTFOUND', 'there is no such host'],
  ['ETIMEDOUT', 'the connection took too long'],
]);

/** What to do about an error of a socket, by its code. */
const fixes: readonly { readonly codes: RegExp; readonly fix: string }[] = [
  { codes: /^ECONNREFUSED$/, fix: 'Start it with: switchyard up. Or name a running one with --endpoint.' },
  {
    codes: /SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)|CERT_SIGNATURE_FAILURE/,
    fix: 'Name the authority that has signed its certificate with --ca-file.',
  },
  { codes: /^ERR_TLS_CERT_ALTNAME_INVALID$/, fix: 'Use a name in --endpoint that its certificate has.' },
  {
    codes: /^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/,
    fix: 'Have its certificate renewed, or set the clock of this machine.',
  },
  { codes: /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/, fix: 'It speaks no TLS there: try http://.' },
];

/** No answer at all. */
export function unreachable(endpoint: URL, error: unknown): Error {
  const code = (error as NodeJS.ErrnoException).code;
  const reason = reasons.get(code) ?? messageOf(error);
  const fix = fixes.find(({ codes }) => codes.test(code ?? ''))?.fix ?? 'Try again.';
  return controlErrors.create('CONTROL_UNREACHABLE', { endpoint: endpoint.origin, reason, fix }, error);
}
