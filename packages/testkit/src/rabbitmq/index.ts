/** A RabbitMQ of a test's own. */
export { openRabbitMq, rabbitMqPart, type TestRabbitMq } from './open-rabbitmq.ts';
