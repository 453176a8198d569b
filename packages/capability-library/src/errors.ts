import { defineErrors } from '@switchyard/kernel';

const byTheCaller = { blame: 'user', retry: 'never', http: 400, grpc: 3, exit: 2 } as const;
const forNow = { blame: 'platform', retry: 'safe', http: 503, grpc: 14, exit: 1 } as const;
const late = { blame: 'user', retry: 'safe', http: 504, grpc: 4, exit: 1 } as const;

/** What the built-in capabilities refuse or fail with. Hosts hand these on as they are. */
export const libraryErrors = defineErrors({
  PARAMETER_INVALID: { ...byTheCaller, message: '{what} cannot be used: {reason}.' },
  CAPABILITY_CONFIG_INVALID: {
    ...byTheCaller,
    message:
      "The configuration of capability '{name}' is not valid: {reason}. Mend its manifest and register it again.",
  },
  SQL_REFUSED: {
    ...byTheCaller,
    message: "The statement '{statement}' was refused: {reason}.",
  },
  SQL_LIMIT_EXCEEDED: {
    ...byTheCaller,
    http: 413,
    grpc: 8,
    message: "The statement '{statement}' gives more than {limit}. Ask for less, for example with LIMIT and OFFSET.",
  },
  SQL_DEADLINE_PASSED: {
    ...late,
    message:
      "The statement '{statement}' ran longer than {timeoutMs} ms and was stopped; nothing of it stays. Make it cheaper.",
  },
  SQL_EXPECTATION_FAILED: {
    ...byTheCaller,
    http: 409,
    grpc: 10,
    message:
      'Statement {position} changed {actual} rows where {expected} were expected, so the whole transaction was undone. Read again and retry.',
  },
  SQL_UNAVAILABLE: {
    ...forNow,
    blame: 'dependency',
    message: 'The database cannot be used: {reason}. Try again; ask the operator when that does not help.',
  },
  KEY_UNKNOWN: {
    ...byTheCaller,
    http: 404,
    grpc: 5,
    message: "There is no key '{key}'{version}. 'createKey' makes one; 'listKeys' lists those that there are.",
  },
  KEY_UNFIT: { ...byTheCaller, http: 409, grpc: 9, message: "Key '{key}' cannot be used: {reason}." },
  UNSEAL_FAILED: {
    ...byTheCaller,
    message: "What was sealed cannot be read with key '{key}': {reason}.",
  },
  WEB_TARGET_REFUSED: {
    ...byTheCaller,
    http: 403,
    grpc: 7,
    message: "'{url}' is not fetched: {reason}. Only public addresses are reached, unless the operator allows more.",
  },
  WEB_LIMIT_EXCEEDED: {
    ...byTheCaller,
    http: 413,
    grpc: 8,
    message: "'{url}' is given up: {what} is more than {limit}. Ask for less, or have the operator raise the limit.",
  },
  WEB_DEADLINE_PASSED: {
    ...late,
    message: "'{url}' did not answer in full within {timeoutMs} ms. Allow more time, or try again.",
  },
  WEB_REQUEST_FAILED: {
    ...forNow,
    blame: 'dependency',
    http: 502,
    message: "'{url}' cannot be fetched: {reason}. Check the address, or try again.",
  },
  MODEL_UNKNOWN: {
    ...byTheCaller,
    http: 404,
    grpc: 5,
    message: "There is no model '{model}'. There are: {models}.",
  },
  TASK_STOPPED: { ...byTheCaller, http: 499, grpc: 1, message: "Task '{task}' was stopped: {reason}." },
  TASK_FAILED: { ...byTheCaller, message: "Task '{task}' failed: {reason}." },
  TASKS_EXHAUSTED: {
    ...forNow,
    http: 429,
    grpc: 8,
    message: 'No more work is taken: {what} is at its limit of {limit}. Wait for what runs, or stop some of it.',
  },
  JOB_UNKNOWN: {
    ...byTheCaller,
    http: 404,
    grpc: 5,
    message: "There is no background job '{job}' of this account. Finished ones are forgotten after {keptHours} hours.",
  },
  MODEL_DAMAGED: {
    ...byTheCaller,
    message:
      "Model '{model}' is not the one that its description names: sha256 {actual} instead of {expected}. It was not run; put the right file there.",
  },
});
