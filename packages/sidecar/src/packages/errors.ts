import { defineErrors } from '@switchyard/kernel';

/** What can go wrong while a package is fetched and unpacked. */
export const packageErrors = defineErrors({
  PACKAGE_SOURCE_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 1,
    message: "The package cannot be opened: {key} is '{value}' and must be {expected}.",
  },
  PACKAGE_UNREACHABLE: {
    blame: 'dependency',
    retry: 'safe',
    http: 502,
    grpc: 14,
    exit: 1,
    message:
      'The package at {source} could not be read: {reason}. Check that its store runs and can be reached from here.',
  },
  PACKAGE_REFUSED: {
    blame: 'dependency',
    retry: 'never',
    http: 502,
    grpc: 9,
    exit: 1,
    message:
      'The store of {source} answered {status} instead of the package. 401 and 403 mean that the download token is wrong or has expired; 404, that the package was removed.',
  },
  PACKAGE_LATE: {
    blame: 'dependency',
    retry: 'safe',
    http: 504,
    grpc: 4,
    exit: 1,
    message: 'The package at {source} was given up after {timeoutMs} ms: {reason}.',
  },
  PACKAGE_TOKEN_IN_CLEAR: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 9,
    exit: 1,
    message:
      'The download token would leave this machine unencrypted on its way to {source}. Use an https address, or allow clear tokens explicitly.',
  },
  PACKAGE_LIMIT_EXCEEDED: {
    blame: 'user',
    retry: 'never',
    http: 413,
    grpc: 8,
    exit: 1,
    message:
      'The package at {source} has more than {limit} {unit}. Leave out what the app does not need (.funcignore).',
  },
  PACKAGE_HASH_WRONG: {
    blame: 'dependency',
    retry: 'safe',
    http: 502,
    grpc: 15,
    exit: 1,
    message:
      'What came from {source} is not the package: its SHA-256 is {actual}, expected was {expected}. Nothing of it was used. Deploy the app again if it goes on.',
  },
  PACKAGE_ENTRY_REFUSED: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 1,
    message: "The package at {source} was not unpacked: its entry '{entry}' {reason}. Pack the app again without it.",
  },
  PACKAGE_UNREADABLE: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 1,
    message: 'The package at {source} cannot be unpacked: {reason}. It has to be a zip file; pack the app again.',
  },
});
