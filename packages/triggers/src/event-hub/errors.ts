import { defineErrors } from '@switchyard/kernel';

const userMistake = { blame: 'user', retry: 'never', http: 500, grpc: 9, exit: 2 } as const;
const dependencyFault = { blame: 'dependency', retry: 'safe', http: 503, grpc: 14, exit: 1 } as const;

/** What can go wrong with Event Hubs. */
export const eventHubErrors = defineErrors({
  EVENT_HUB_BINDING_INVALID: {
    ...userMistake,
    message:
      'Function \'{function}\', binding \'{binding}\': {problem}. Name the event hub with "eventHubName", and the consumer group with "consumerGroup" when it is not $Default.',
  },
  EVENT_HUB_CONNECTION_INVALID: {
    ...userMistake,
    message:
      "Function '{function}', binding '{binding}': {problem}. Set '{setting}' to the connection string of the namespace, which begins with 'Endpoint=sb://', or name the namespace in '<connection>__fullyQualifiedNamespace'.",
  },
  EVENT_HUB_CHECKPOINT_REFUSED: {
    ...dependencyFault,
    message:
      "The storage of the app did not take the checkpoint of partition '{partition}' of '{hub}': {reason}. It is written again with the next events; until then they may come twice.",
  },
  EVENT_HUB_SEND_FAILED: {
    ...dependencyFault,
    message:
      "Function '{function}': event hub '{hub}' did not take its events: {reason}. Look at the namespace, and run the function again.",
  },
});
