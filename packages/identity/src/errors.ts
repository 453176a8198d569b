import { defineErrors, type ErrorCatalogue } from '@switchyard/kernel';

/** Why a token, or who shows it, is refused. */
export type RefusalCode =
  | 'TOKEN_MISSING'
  | 'TOKEN_MALFORMED'
  | 'TOKEN_ALGORITHM'
  | 'TOKEN_KEY_UNKNOWN'
  | 'TOKEN_KEYS_UNAVAILABLE'
  | 'TOKEN_SIGNATURE'
  | 'TOKEN_ISSUER'
  | 'TOKEN_AUDIENCE'
  | 'TOKEN_CLAIM'
  | 'TOKEN_EXPIRED'
  | 'TOKEN_NOT_YET_VALID'
  | 'TOKEN_FOREIGN'
  | 'TOKEN_PLACEHOLDER'
  | 'TOKEN_KIND'
  | 'TOKEN_REPLAYED'
  | 'TOKEN_MEMORY_FULL'
  | 'TOKEN_UNWANTED'
  | 'CERTIFICATE_MISSING'
  | 'CERTIFICATE_FOREIGN';

export type IdentityErrorCode =
  | RefusalCode
  | 'TOKEN_IN_CLEAR'
  | 'TOKEN_LIFETIME'
  | 'KEY_FILE_EXPOSED'
  | 'KEY_FILE_INVALID'
  | 'KEY_FOLDER_UNUSABLE'
  | 'KEY_SET_URL';

const unauthenticated = { blame: 'user', retry: 'never', http: 401, grpc: 16, exit: 1 } as const;
const denied = { blame: 'user', retry: 'never', http: 403, grpc: 7, exit: 1 } as const;
const setUp = { blame: 'user', retry: 'never', http: 500, grpc: 9, exit: 3 } as const;

/** What can go wrong with identities. No message quotes a token or a key. */
export const identityErrors: ErrorCatalogue<IdentityErrorCode> = defineErrors<IdentityErrorCode>({
  TOKEN_MISSING: {
    ...unauthenticated,
    message: "The call shows no token. Send one in the metadata or header 'authorization' as 'Bearer <token>'.",
  },
  TOKEN_MALFORMED: {
    ...unauthenticated,
    message: 'The token cannot be read: {reason}. Send it exactly as it was issued.',
  },
  TOKEN_ALGORITHM: {
    ...unauthenticated,
    message: "The token is signed with '{algorithm}', but only {expected} counts. Use a token of this installation.",
  },
  TOKEN_KEY_UNKNOWN: {
    ...unauthenticated,
    message:
      "The token is signed with the key '{keyId}', which this installation does not have or has retired. Get a new token.",
  },
  TOKEN_KEYS_UNAVAILABLE: {
    blame: 'dependency',
    retry: { afterMs: 1_000 },
    http: 503,
    grpc: 14,
    exit: 1,
    message:
      'The token cannot be verified, because the public keys could not be had: {reason}. Try again; check that the key set can be reached.',
  },
  TOKEN_SIGNATURE: {
    ...unauthenticated,
    message: "The token's signature does not fit the key '{keyId}': it was changed or forged. Get a new token.",
  },
  TOKEN_ISSUER: {
    ...unauthenticated,
    message: "The token was issued by '{issuer}', but only those of '{expected}' count here.",
  },
  TOKEN_AUDIENCE: {
    ...unauthenticated,
    message: "The token is meant for '{audience}', but this is '{expected}'. Use a token that was issued for it.",
  },
  TOKEN_CLAIM: {
    ...unauthenticated,
    message: "The token's claim '{claim}' must be {expected}. Get a new token from this installation.",
  },
  TOKEN_EXPIRED: {
    ...unauthenticated,
    message: 'The token ended {agoSeconds} s ago. Get a new token.',
  },
  TOKEN_NOT_YET_VALID: {
    ...unauthenticated,
    message: 'The token holds only in {inSeconds} s. Set the clocks of both machines, or wait.',
  },
  TOKEN_FOREIGN: {
    ...denied,
    message:
      "The token is for the {what} '{granted}', but '{claimed}' was claimed. Use the token that was issued for it.",
  },
  TOKEN_PLACEHOLDER: {
    ...denied,
    message:
      "The token is a placeholder's and may serve no app, but '{claimed}' was claimed. Use the token that comes with the assignment.",
  },
  TOKEN_KIND: {
    ...denied,
    message: "The token is of the kind '{kind}', but {expected} is needed here. Use a token of that kind.",
  },
  TOKEN_REPLAYED: {
    ...denied,
    message: 'The token was used before, and counts only once. Issue a new one for each assignment.',
  },
  TOKEN_MEMORY_FULL: {
    ...denied,
    message:
      '{count} tokens that still hold were used here already, and no more can be remembered. Wait until some have ended.',
  },
  TOKEN_UNWANTED: {
    ...denied,
    message: "The token cannot be renewed, because the worker '{workerId}' is not wanted any more. Let it end.",
  },
  CERTIFICATE_MISSING: {
    ...unauthenticated,
    message: 'The connection shows no client certificate that was verified. Connect over TLS with one.',
  },
  CERTIFICATE_FOREIGN: {
    ...denied,
    message:
      "The client certificate is that of '{shown}', but the token was issued to '{granted}'. Use the certificate of that instance.",
  },
  TOKEN_IN_CLEAR: {
    ...setUp,
    message:
      "A token would be sent in clear to '{endpoint}', which is not on this machine. Use https://, or allow it explicitly.",
  },
  TOKEN_LIFETIME: {
    ...setUp,
    message: 'A token cannot hold for {lifetimeMs} ms. Choose a time above 0 and of at most {maximumMs} ms.',
  },
  KEY_FILE_EXPOSED: {
    ...setUp,
    message:
      "'{path}' may be {how} by others than its owner (mode {mode}), so what it signs proves nothing. Run chmod {fix} on it, and rotate the keys.",
  },
  KEY_FILE_INVALID: {
    ...setUp,
    message: "'{path}' holds no signing key: {reason}. Restore the file, or remove it to go on without that key.",
  },
  KEY_FOLDER_UNUSABLE: {
    ...setUp,
    message:
      "The signing keys cannot be kept in '{path}': {reason}. Choose another folder, or give yourself the right.",
  },
  KEY_SET_URL: {
    ...setUp,
    message: "'{url}' is no address for public keys: {reason}. Write it as https://host/.well-known/jwks.json.",
  },
});
