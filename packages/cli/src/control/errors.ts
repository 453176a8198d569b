import { defineErrors } from '@switchyard/kernel';
import { exitCodes } from '../exit-codes.ts';

/** A mistake in the command line or in what it names. */
const byTheUser = { blame: 'user', retry: 'never', http: 400, grpc: 3, exit: exitCodes.usage.code } as const;

/** The platform is elsewhere, and does not do what was asked. */
const byThePlatform = { blame: 'dependency', retry: 'safe', http: 502, grpc: 14, exit: exitCodes.failed.code } as const;

/** What keeps a command from working with a running platform. */
export const controlErrors = defineErrors({
  CONTROL_NOT_RUNNING: {
    ...byThePlatform,
    message:
      "No platform runs here: '{path}' is not there. Start it with: switchyard up. Or name a running one with --endpoint.",
  },
  CONTROL_FILE_INVALID: {
    ...byThePlatform,
    message:
      "'{path}' does not tell where the platform is: {reason}. Start it anew with: switchyard up. Or name it with --endpoint.",
  },
  CONTROL_ENDPOINT_INVALID: {
    ...byTheUser,
    message:
      "'{endpoint}' ({origin}) is no address of a platform: {reason}. Write it like http://127.0.0.1:7072 or https://example.com.",
  },
  CONTROL_TOKEN_MISSING: {
    ...byTheUser,
    message:
      "There is no token for '{endpoint}'. Name a file that holds one with --token-file, or set SWITCHYARD_TOKEN.",
  },
  CONTROL_TOKEN_INVALID: {
    ...byTheUser,
    message: 'The token from {origin} is none: {reason}. Name a file that holds one line, the token.',
  },
  CONTROL_TOKEN_IN_CLEAR: {
    ...byTheUser,
    message:
      "'{endpoint}' is on another machine and not encrypted, so everybody on the way could read the token. Use its https:// address, or allow it with --allow-http.",
  },
  CONTROL_UNREACHABLE: { ...byThePlatform, message: 'Nothing answers at {endpoint}: {reason}. {fix}' },
  CONTROL_LATE: {
    ...byThePlatform,
    message: '{endpoint} has not answered {operation} within {seconds} s. Try again, or look at what it prints.',
  },
  CONTROL_ANSWER_UNEXPECTED: {
    ...byThePlatform,
    retry: 'never',
    message:
      'What {endpoint} answers to {operation} is not understood: {reason}. Make sure that it is the control API (7072 unless it was told another port) and of the version that this command is of.',
  },
  CONTROL_STREAM_LOST: {
    ...byThePlatform,
    message: 'The connection to {endpoint} was lost, and {tries} tries in a row did not bring it back: {reason}',
  },
  CONTROL_ANSWER_CUT: {
    ...byThePlatform,
    message: 'The answer of {endpoint} ended before it was complete: {reason}. Try again.',
  },
  WORKER_UNKNOWN: {
    ...byTheUser,
    message: "There is no worker '{name}' of the control plane. There are: {known}.",
  },
  MANIFEST_UNREADABLE: {
    ...byTheUser,
    message: "The manifest '{file}' is not understood: {reason}. docs/control-plane.md says what it holds.",
  },
  CONTROL_REFUSED: { ...byTheUser, message: '{text}' },
  CONTROL_DENIED: { ...byTheUser, http: 403, grpc: 7, exit: exitCodes.failed.code, message: '{text}' },
  CONTROL_FAILED: { ...byThePlatform, message: '{text}' },
  ARGUMENT_MISSING: { ...byTheUser, message: '{what} is missing: {usage}. {fix}' },
  WORKERS_ELSEWHERE_INVALID: {
    ...byTheUser,
    message:
      'Where workers run is not understood: {reason}. Name a node agent or a namespace of a cluster, and an image for each language.',
  },
  ARGUMENT_UNEXPECTED: { ...byTheUser, message: "'{word}' is too much: {usage}." },
  APP_ID_INVALID: {
    ...byTheUser,
    message:
      "'{name}' is no name for an app: use a-z, 0-9 and dashes, at most 40, and no dash at either end. '{near}' would do.",
  },
  CONTROL_FUNCTION_INVALID: {
    ...byTheUser,
    message:
      "'{name}' is no name of a function: those begin with a letter and hold letters, digits, '_' and '-'. {fix}",
  },
  TENANT_INVALID: {
    ...byTheUser,
    message: "'{name}' is no name for a tenant: use a-z, 0-9 and dashes, at most 40, and no dash at either end.",
  },
  STACK_INVALID: {
    ...byTheUser,
    message: "'{text}' is no stack. Write a runtime, with a version where that matters: node, python:3.12.",
  },
  STACK_UNKNOWN: {
    ...byTheUser,
    message:
      "Nothing in '{path}' tells in which language the app is written. Name it with --stack, for example --stack node.",
  },
  CONTROL_VERSION_UNKNOWN: { ...byTheUser, message: "App '{app}' has no version '{version}'. {versions}" },
  CONTROL_VERSION_AMBIGUOUS: {
    ...byTheUser,
    message: "'{version}' is the beginning of several versions of app '{app}': {versions}. Write more of it.",
  },
  WEIGHT_INVALID: {
    ...byTheUser,
    message: "'{text}' is no share of the traffic: {reason}. Write VERSION=PERCENT, for example 3f2a9c=90.",
  },
  SCALE_SETTING_INVALID: {
    ...byTheUser,
    message:
      "'{text}' says nothing about scale: {reason}. Write NAME=VALUE, for example maximum=20, or NAME= to take it back.",
  },
  SETTING_INVALID: {
    ...byTheUser,
    message: "'{name}' cannot be set: {reason}. Write NAME=VALUE, NAME=@FILE, or NAME=@- for what comes on stdin.",
  },
  INPUT_UNREADABLE: {
    ...byTheUser,
    exit: exitCodes.machine.code,
    message: "'{path}' cannot be read: {reason}. Name a file that is there{hint}.",
  },
  INPUT_TOO_LARGE: {
    ...byTheUser,
    message: "'{path}' cannot be used: it has more than {limit} bytes. Give less of it.",
  },
  OUTPUT_UNWRITABLE: {
    ...byTheUser,
    exit: exitCodes.machine.code,
    message: "'{path}' cannot be written: {reason}. Name another file with --output.",
  },
  HEADER_INVALID: { ...byTheUser, message: "'{text}' is no header. Write --header 'name: value'." },
  INVOCATION_INVALID: { ...byTheUser, message: '--{flag}: {reason}.' },
  ANSWER_NOT_TEXT: {
    ...byTheUser,
    message: 'The answer is {sizeBytes} bytes that are no text ({type}). Write them to a file with --output FILE.',
  },
  DELETE_UNCONFIRMED: {
    ...byTheUser,
    message: "App '{app}' was not deleted: {reason}. Delete it without a question with --yes.",
  },
  DEPLOYMENT_FAILED: {
    ...byTheUser,
    exit: exitCodes.failed.code,
    message: "App '{app}' was not deployed, and what ran before runs on: {reason}",
  },
  COMMAND_INTERRUPTED: { ...byTheUser, exit: exitCodes.interrupted.code, message: '{text}' },
});
