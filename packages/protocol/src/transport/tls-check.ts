/** TLS that goes wrong, in words that help. */
import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { messageOf } from '@switchyard/kernel';
import { protocolErrors } from '../errors.ts';

/** Proves that keys and certificates can be read and belong together. Throws RPC_TLS_INVALID, which quotes none of them. */
export function checkTls(material: { readonly ca?: unknown; readonly cert?: unknown; readonly key?: unknown }): void {
  const { ca, cert, key } = material;
  if (ca === undefined && cert === undefined && key === undefined) return;
  if ((cert === undefined) !== (key === undefined)) {
    throw invalid(`there is a ${cert === undefined ? 'key but no certificate' : 'certificate but no key'}`);
  }
  try {
    // An authority that cannot be read is passed over in silence by createSecureContext.
    if (ca !== undefined) new X509Certificate(String(ca));
    createSecureContext(material as SecureContextOptions);
  } catch (thrown) {
    throw invalid(messageOf(thrown), thrown);
  }
}

/** What an error of the TLS handshake means and what to do about it; the error's own text when there is no more to say. */
export function explainTlsFailure(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const hint = hints.find(({ codes }) => codes.test(code))?.hint;
  return hint === undefined ? error.message : `${error.message}. ${hint}`;
}

const hints: readonly { readonly codes: RegExp; readonly hint: string }[] = [
  {
    codes:
      /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|CERT_SIGNATURE_FAILURE)$/,
    hint: "Nobody trusted has signed the server's certificate: name the authority that has (tls.ca)",
  },
  {
    codes: /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    hint: 'Connect under a name that the certificate has, or name one of them (tls.serverName)',
  },
  {
    codes: /^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/,
    hint: "Renew the server's certificate, or set this machine's clock",
  },
  {
    codes: /ALERT_(CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN)$/,
    hint: 'The server wants a client certificate that its authority has signed: show one (tls.certificate, tls.key)',
  },
  {
    codes: /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/,
    hint: 'The server speaks no TLS there: connect to http:// or to another port',
  },
];

function invalid(reason: string, cause?: unknown): Error {
  return protocolErrors.create('RPC_TLS_INVALID', { reason }, cause);
}
