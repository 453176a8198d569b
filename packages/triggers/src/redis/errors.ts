import { defineErrors } from '@switchyard/kernel';

const userMistake = { blame: 'user', retry: 'never', http: 500, grpc: 9, exit: 2 } as const;
const dependencyFault = { blame: 'dependency', retry: 'safe', http: 503, grpc: 14, exit: 1 } as const;

/** What can go wrong with Redis. */
export const redisErrors = defineErrors({
  REDIS_BINDING_INVALID: {
    ...userMistake,
    message:
      "Function '{function}', binding '{binding}': {problem}. Correct the binding; docs/triggers.md has its keys.",
  },
  REDIS_CONNECTION_INVALID: {
    ...userMistake,
    message:
      "Function '{function}', binding '{binding}': {problem}. Set '{setting}' to the server, such as 'host:6380,password=...,ssl=True'.",
  },
  REDIS_COMMAND_INVALID: {
    ...userMistake,
    message:
      "Function '{function}', binding '{binding}': {problem}. Correct \"command\", or what the function gives back.",
  },
  REDIS_LINE_LOST: {
    ...dependencyFault,
    message: 'The line to the Redis server {server} is over: {reason}. The host connects anew.',
  },
  REDIS_COMMAND_FAILED: {
    ...dependencyFault,
    message: "Function '{function}': Redis did not carry out {command}: {reason}.",
  },
});
