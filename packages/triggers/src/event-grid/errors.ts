import { defineErrors } from '@switchyard/kernel';

const userMistake = { blame: 'user', retry: 'never', http: 500, grpc: 9, exit: 2 } as const;

/** What can go wrong with events of Event Grid. */
export const eventGridErrors = defineErrors({
  EVENT_GRID_TOPIC_MISSING: {
    ...userMistake,
    message:
      'Function \'{function}\', binding \'{binding}\': {problem}. Set "topicEndpointUri" and "topicKeySetting" to the names of app settings that hold the address of the topic and its key, or "connection" to the name of an identity with "topicEndpointUri".',
  },
  EVENT_GRID_EVENT_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 3,
    exit: 1,
    message:
      'Function \'{function}\' gave an event that cannot be published: {problem}. An event is an object, or a list of objects, such as {"id": "1", "subject": "orders/1", "eventType": "made", "dataVersion": "1", "data": {}}.',
  },
  EVENT_GRID_PUBLISH_FAILED: {
    blame: 'dependency',
    retry: 'safe',
    http: 503,
    grpc: 14,
    exit: 1,
    message:
      "Function '{function}': the topic at {host} did not take its events: {reason}. Look whether the topic is there, and whether '{setting}' opens it.",
  },
});
