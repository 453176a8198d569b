import { defineErrors } from '@switchyard/kernel';

const userMistake = { blame: 'user', retry: 'never', http: 500, grpc: 9, exit: 2 } as const;
const dependencyFault = { blame: 'dependency', retry: 'safe', http: 503, grpc: 14, exit: 1 } as const;

/** What can go wrong with Service Bus. */
export const serviceBusErrors = defineErrors({
  SERVICE_BUS_BINDING_INVALID: {
    ...userMistake,
    message:
      'Function \'{function}\', binding \'{binding}\': {problem}. Name a queue with "queueName", or a topic with "topicName" (a trigger also needs "subscriptionName").',
  },
  SERVICE_BUS_CONNECTION_INVALID: {
    ...userMistake,
    message:
      "Function '{function}', binding '{binding}': {problem}. Set '{setting}' to the connection string of the namespace, which begins with 'Endpoint=sb://', or name the namespace in '<connection>__fullyQualifiedNamespace'.",
  },
  SERVICE_BUS_LOCK_UNKNOWN: {
    ...userMistake,
    message:
      "No function has a message with the lock token '{lockToken}' in hand. Settle a message before its function ends, with the token that came with it.",
  },
  SERVICE_BUS_ALREADY_SETTLED: {
    ...userMistake,
    message: "The message with the lock token '{lockToken}' is settled already. Settle each message once.",
  },
  SERVICE_BUS_SESSION_UNKNOWN: {
    ...userMistake,
    message:
      "{count} entities have the session '{sessionId}' in hand, and one is needed. Use a session while a function handles one of its messages.",
  },
  SERVICE_BUS_SILENT: {
    ...dependencyFault,
    message: "The broker of '{entity}' did not answer within {waitMs} ms and some more. The host connects anew.",
  },
  SERVICE_BUS_SEND_FAILED: {
    ...dependencyFault,
    message: "Function '{function}': '{entity}' did not take its messages: {reason}.",
  },
});
