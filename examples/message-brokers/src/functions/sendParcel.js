import { app, output } from '@azure/functions';

const parcels = output.generic({
  type: 'rabbitMQ',
  queueName: 'parcels',
  connectionStringSetting: 'RabbitMQConnection',
});

// HTTP -> queue `parcels` of RabbitMQ.
// curl -d '{"id": "p-1", "weight": 3}' localhost:7071/api/parcels
app.http('sendParcel', {
  methods: ['POST'],
  authLevel: 'anonymous',
  route: 'parcels',
  extraOutputs: [parcels],
  handler: async (request, context) => {
    const parcel = await request.json();
    context.extraOutputs.set(parcels, parcel);
    return { status: 202, jsonBody: { id: parcel.id } };
  },
});
