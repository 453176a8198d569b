import { defineErrors } from '@switchyard/kernel';

/** What goes wrong with the event bus. */
export const busErrors = defineErrors({
  BUS_FULL: {
    blame: 'platform',
    retry: { afterMs: 1_000 },
    http: 503,
    grpc: 8,
    exit: 1,
    message:
      "The subscription '{subscription}' of the topic '{topic}' takes no more events: it holds {queued}, and {limit} is the most.\nFind out why nobody handles them: `switchyard dlq` and the log of its worker tell.",
  },
  BUS_EVENT_TOO_LARGE: {
    blame: 'user',
    retry: 'never',
    http: 413,
    grpc: 8,
    exit: 1,
    message: "The event '{eventId}' cannot be published: {reason}.",
  },
  BUS_INPUT_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 400,
    grpc: 3,
    exit: 1,
    message: "The {what} '{value}' cannot be used: {reason}.",
  },
  BUS_SUBSCRIPTION_UNKNOWN: {
    blame: 'platform',
    retry: 'never',
    http: 404,
    grpc: 5,
    exit: 1,
    message: "The topic '{topic}' has no subscription '{subscription}'.\nMake it before anybody receives from it.",
  },
  BUS_UNAVAILABLE: {
    blame: 'dependency',
    retry: 'safe',
    http: 503,
    grpc: 14,
    exit: 1,
    message: 'The event bus {where} did not do what was asked: {reason}.\nCheck that it runs and can be reached.',
  },
  BUS_CLOSED: {
    blame: 'platform',
    retry: 'never',
    http: 503,
    grpc: 14,
    exit: 1,
    message: 'The event bus is closed, so nothing can be published.\nThe platform is shutting down; try again later.',
  },
});
