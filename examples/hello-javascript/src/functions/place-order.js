import { app, output } from '@azure/functions';

const orders = output.storageQueue({ queueName: 'orders', connection: 'AzureWebJobsStorage' });

// Answers at once; process-order.js does the work.
// curl -d '{"item": "tea", "quantity": 2}' localhost:7071/api/orders
app.http('placeOrder', {
  methods: ['POST'],
  authLevel: 'anonymous',
  route: 'orders',
  extraOutputs: [orders],
  handler: async (request, context) => {
    const order = { id: context.invocationId, ...(await request.json()) };
    context.extraOutputs.set(orders, order);
    return { status: 202, jsonBody: { id: order.id } };
  },
});
