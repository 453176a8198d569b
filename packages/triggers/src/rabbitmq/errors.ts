import { defineErrors } from '@switchyard/kernel';

const userMistake = { blame: 'user', retry: 'never', http: 500, grpc: 9, exit: 2 } as const;
const dependencyFault = { blame: 'dependency', retry: 'safe', http: 503, grpc: 14, exit: 1 } as const;

/** What can go wrong with RabbitMQ. */
export const rabbitMqErrors = defineErrors({
  RABBITMQ_BINDING_INVALID: {
    ...userMistake,
    message:
      'Function \'{function}\', binding \'{binding}\': {problem}. Name the queue with "queueName", and with "connectionStringSetting" the app setting that holds the address of the broker.',
  },
  RABBITMQ_CONNECTION_INVALID: {
    ...userMistake,
    message:
      "Function '{function}', binding '{binding}': {problem}. Set '{setting}' to the address of the broker, such as 'amqp://user:password@host:5672'.",
  },
  RABBITMQ_QUEUE_MISSING: {
    ...dependencyFault,
    blame: 'user',
    message: "The broker has no queue '{queue}' that takes messages. Declare the queue, or correct its name.",
  },
  RABBITMQ_LINE_LOST: {
    ...dependencyFault,
    message: "The broker ended the connection for queue '{queue}': {reason}. The host connects anew.",
  },
  RABBITMQ_SEND_FAILED: {
    ...dependencyFault,
    message: "Function '{function}': queue '{queue}' did not take its messages: {reason}.",
  },
});
