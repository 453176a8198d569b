import { defineErrors } from '@switchyard/kernel';

/** What goes wrong with the state of the control plane and with the files of its embedded databases. */
export const storeErrors = defineErrors({
  STORE_FILE_DAMAGED: {
    blame: 'platform',
    retry: 'never',
    http: 500,
    grpc: 15,
    exit: 1,
    message:
      "The database '{file}' is damaged: {reason}.\nStop Switchyard, put a backup of the file in its place (without its -wal and -shm), or move it away to begin with an empty one.",
  },
  STORE_FILE_NEWER: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 9,
    exit: 1,
    message:
      "The database '{file}' was written by a newer Switchyard: its format is {found}, and this one knows up to {known}.\nUpdate Switchyard, or choose another data directory.",
  },
  STORE_FILE_FOREIGN: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 9,
    exit: 1,
    message: "The file '{file}' is no database of this kind: {reason}.\nChoose another file or data directory.",
  },
  STORE_UNAVAILABLE: {
    blame: 'dependency',
    retry: 'safe',
    http: 503,
    grpc: 14,
    exit: 1,
    message: 'The database {where} did not do what was asked: {reason}.\nTry again; check that it runs and has room.',
  },
  STORE_DOCUMENT_TOO_LARGE: {
    blame: 'user',
    retry: 'never',
    http: 413,
    grpc: 8,
    exit: 1,
    message:
      "The {documentKind} '{key}' has {sizeBytes} bytes, and {limitBytes} is the most.\nKeep large content elsewhere and store where it is.",
  },
  STORE_INPUT_INVALID: {
    blame: 'platform',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 1,
    message: 'The commit cannot be made: {reason}.',
  },
  STORE_CLOSED: {
    blame: 'platform',
    retry: 'never',
    http: 503,
    grpc: 14,
    exit: 1,
    message: 'The store is closed, so nothing can be read or written.\nThe platform is shutting down; try again later.',
  },
});
