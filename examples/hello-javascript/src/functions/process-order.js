import { app, output } from '@azure/functions';

// Takes orders from one queue and puts a receipt into another. An order without an item always fails: after
// maxDequeueCount tries (host.json) it ends in the queue `orders-poison`.
app.storageQueue('processOrder', {
  queueName: 'orders',
  connection: 'AzureWebJobsStorage',
  return: output.storageQueue({ queueName: 'receipts', connection: 'AzureWebJobsStorage' }),
  handler: (order, context) => {
    if (typeof order.item !== 'string') throw new Error(`Order ${order.id} names no item`);
    context.log(`Packing ${order.quantity ?? 1} x ${order.item} (try ${context.triggerMetadata.dequeueCount})`);
    return { orderId: order.id, packed: true };
  },
});
