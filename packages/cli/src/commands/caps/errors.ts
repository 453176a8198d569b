import { defineErrors } from '@switchyard/kernel';
import { exitCodes } from '../../exit-codes.ts';

const byTheUser = { blame: 'user', retry: 'never', http: 400, grpc: 3, exit: exitCodes.usage.code } as const;

/** Mistakes in a command line of `switchyard caps`. */
export const capsErrors = defineErrors({
  CAPS_VERB_UNKNOWN: {
    ...byTheUser,
    message: "'{verb}' is nothing that 'switchyard caps' does. It knows: {known}.",
  },
  CAPS_ARGUMENT_MISSING: {
    ...byTheUser,
    message: "{what} is missing: switchyard caps {usage}. 'switchyard caps ls' lists all capabilities.",
  },
  CAPS_TOKEN_MISSING: {
    ...byTheUser,
    message:
      'SWITCHYARD_HOST_TOKEN must hold a token of at least {minimum} characters, the same as where the broker runs.',
  },
  CAPS_FILE_INVALID: { ...byTheUser, message: "'{path}' is no manifest of a capability: {reason}." },
});
