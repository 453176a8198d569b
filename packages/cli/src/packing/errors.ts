import { defineErrors } from '@switchyard/kernel';
import { exitCodes } from '../exit-codes.ts';

/** The app is at fault. */
const byTheApp = { blame: 'user', retry: 'never', http: 400, grpc: 3, exit: exitCodes.usage.code } as const;

/** What keeps a folder from becoming a package. */
export const packingErrors = defineErrors({
  PACK_FOLDER_MISSING: {
    ...byTheApp,
    message: "'{path}' is no folder: {reason}. Name the folder of a function app: the one that holds its host.json.",
  },
  PACK_FILE_UNREADABLE: {
    ...byTheApp,
    exit: exitCodes.machine.code,
    message: "'{path}' cannot be read: {reason}. Give yourself the right to read it, or name it in .funcignore.",
  },
  PACK_HOST_JSON_MISSING: {
    ...byTheApp,
    message:
      '\'{path}\' holds no host.json, so it is no function app that can be deployed. Name the app\'s own folder, or make it one with a host.json that says {"version": "2.0"}.',
  },
  PACK_HOST_JSON_IGNORED: {
    ...byTheApp,
    message:
      "'{path}' leaves host.json out of the package, and no app runs without it. Add the line '!host.json' to it.",
  },
  PACK_LINK_OUTSIDE: {
    ...byTheApp,
    message:
      "'{path}' is a link that leads out of the app's folder, to '{target}'. A package holds the app's folder and nothing else: put the files themselves there, or name the link in .funcignore.",
  },
  PACK_LINK_BROKEN: {
    ...byTheApp,
    message:
      "'{path}' is a link to '{target}', which is not there. Remove the link, or name it in .funcignore to leave it out.",
  },
  PACK_LINK_ENDLESS: {
    ...byTheApp,
    message:
      "'{path}' is a link to a folder that it stands in, so it has no end. Remove the link, or name it in .funcignore.",
  },
  PACK_FILE_SPECIAL: {
    ...byTheApp,
    message:
      "'{path}' is neither a file nor a folder (a socket, a pipe or a device), so no package can hold it. Name it in .funcignore.",
  },
  PACK_PATH_UNUSABLE: {
    ...byTheApp,
    message: "'{path}' cannot stand in a package: {reason}. Rename it, or name it in .funcignore.",
  },
  PACK_TOO_LARGE: {
    ...byTheApp,
    message:
      'The app is too large for a package: it has more than {maximum} {what}. Name in .funcignore what it does not need to run, development dependencies for example.',
  },
  PACK_FILE_CHANGED: {
    ...byTheApp,
    retry: 'safe',
    exit: exitCodes.failed.code,
    message:
      "'{path}' changed while it was packed: {expected} bytes were expected, and {found} found. Deploy again when nothing writes there, or name it in .funcignore.",
  },
  PACK_NOT_BUILT: {
    ...byTheApp,
    message:
      'The TypeScript app in \'{path}\' is not built: no file of the package matches "main": "{main}" of its package.json. {fix}',
  },
  PACK_NO_BUILD_SCRIPT: {
    ...byTheApp,
    message:
      '\'{path}\' has no script "build", which --build would run. Add one ("build": "tsc"), or leave --build out.',
  },
  PACK_BUILD_FAILED: {
    ...byTheApp,
    message: "'{command}' failed in '{path}' ({outcome}), so nothing was deployed. Mend what it complains of above.",
  },
  PACK_TARGET_UNWRITABLE: {
    ...byTheApp,
    exit: exitCodes.machine.code,
    message: "The package cannot be written to '{path}': {reason}. Make room there, or set TMPDIR to another folder.",
  },
});
