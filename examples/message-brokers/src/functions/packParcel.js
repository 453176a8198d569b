import { app, output } from '@azure/functions';

// Queue `parcels` -> queue `packed`. What fails comes again four times, and is rejected then: a dead letter, where the
// queue has an exchange for them. It is disabled in local.settings.json until a broker with both queues runs here.
app.generic('packParcel', {
  trigger: {
    type: 'rabbitMQTrigger',
    name: 'parcel',
    queueName: 'parcels',
    connectionStringSetting: 'RabbitMQConnection',
  },
  return: output.generic({ type: 'rabbitMQ', queueName: 'packed', connectionStringSetting: 'RabbitMQConnection' }),
  handler: (parcel, context) => {
    const { deliveryTag, basicProperties } = context.triggerMetadata;
    const tries = basicProperties.headers?.['x-ms-rabbitmq-requeuecount'] ?? 0;
    context.log(`Parcel ${parcel.id}, delivery ${deliveryTag}, after ${tries} tries`);
    if (!(parcel.weight > 0)) throw new Error(`Parcel ${parcel.id} weighs nothing`);
    return { id: parcel.id, boxes: Math.ceil(parcel.weight / 2) };
  },
});
