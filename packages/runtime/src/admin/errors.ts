import { defineErrors } from '@switchyard/kernel';

/** Why the functions of an app are not changed over the admin API. */
export const adminErrors = defineErrors({
  FUNCTION_EDIT_READ_ONLY: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 9,
    exit: 1,
    message:
      "The functions of '{applicationId}' are read-only here: it runs from a stored package. Change its sources and deploy them.",
  },
  FUNCTION_EDIT_FOREIGN: {
    blame: 'user',
    retry: 'never',
    http: 403,
    grpc: 7,
    exit: 1,
    message:
      'Functions are changed from this machine alone while nobody is asked for keys. Start with --enable-auth and send the master key, or call http://localhost.',
  },
  FUNCTION_EDIT_IN_CODE: {
    blame: 'user',
    retry: 'never',
    http: 409,
    grpc: 9,
    exit: 1,
    message:
      "'{applicationId}' registers its functions in code, so that no function.json is read. Change its sources instead.",
  },
  FUNCTION_EDIT_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 1,
    message:
      'The body is no function: {reason}. Send a JSON object with "config" (what function.json holds), with "files" (texts by their names), or with both.',
  },
});
