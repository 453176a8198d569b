import { defineErrors } from '@switchyard/kernel';
import { exitCodes } from './exit-codes.ts';

/** A mistake in a command or in what it reads. */
const byTheUser = { blame: 'user', retry: 'never', http: 400, grpc: 3, exit: exitCodes.usage.code } as const;

/** What keeps a command from doing its work. */
export const cliErrors = defineErrors({
  CONFIGURATION_INVALID: { ...byTheUser, message: '{where}: {problem}' },
  FLAG_INVALID: { ...byTheUser, message: '{problem}' },
  HTTPS_UNSUPPORTED: {
    ...byTheUser,
    message:
      'Switchyard serves HTTP only, so --useHttps is not supported. Leave it out, or put a proxy with TLS in front.',
  },
  TEMPLATE_MISSING: {
    ...byTheUser,
    message: 'Name the template: func new --template "HTTP trigger". There are templates for: {choices}.',
  },
  RUNTIME_WITHOUT_TEMPLATES: {
    ...byTheUser,
    message: "There are templates for Node.js apps, and none for '{runtime}'. Use --worker-runtime node.",
  },
  FILE_EXISTS: {
    ...byTheUser,
    message:
      "'{path}' exists already, and nothing is overwritten; no file was written. Move it away, or choose another {what}.",
  },
  FOLDER_UNWRITABLE: {
    ...byTheUser,
    exit: exitCodes.machine.code,
    message: "'{path}' cannot be written: {reason}. Give yourself the right to write it, or choose another folder.",
  },
  LOCAL_SETTINGS_UNUSABLE: { ...byTheUser, message: "'{path}' cannot be used: {reason}." },
  CHOICE_UNKNOWN: { ...byTheUser, message: "There is no {what} '{value}'.{hint} Choose one of: {choices}." },
  CHOICE_MISSING: { ...byTheUser, message: 'Name the {what}: {choices}.' },
  NOT_AN_APP: {
    ...byTheUser,
    message:
      "'{path}' is no Node.js function app: it holds no {missing}. Go to the folder of one, or make one with 'switchyard init'.",
  },
  APP_NAME_INVALID: {
    ...byTheUser,
    message:
      "'{name}' is no name for an app: npm wants lower case letters, digits, '-', '_' and '.', a letter or digit first, at most {maximum}. Give another one with --name.",
  },
  FUNCTION_NAME_UNUSABLE: {
    ...byTheUser,
    message:
      "'{name}' is no name for a function: use letters, digits, '_' and '-', a letter first, at most 127, and not 'host'.",
  },
  TEMPLATE_WITHOUT_MODEL: {
    ...byTheUser,
    message:
      "'{path}' is an app of the v3 model in TypeScript, for which there are no templates. Write {name}/function.json by hand, or move the app to the v4 model.",
  },
});
