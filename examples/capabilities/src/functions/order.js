import { app } from '@azure/functions';
import { capabilities } from '@switchyard/capabilities';

// Prices come from a thread that is loaded on demand, the count of orders from a process with a database of its own, and
// the text from a capability that is always there. None of them is part of this app.
//
// curl localhost:7071/api/order/tea?count=3
app.http('order', {
  methods: ['GET', 'POST'],
  authLevel: 'anonymous',
  route: 'order/{item}',
  handler: async (request, context) => {
    await using caps = await capabilities.acquire({
      required: ['text', 'shop.pricing', 'shop.ledger'],
      version: '>=1.0',
      traceparent: context.traceContext?.traceParent,
    });
    if (!caps.success) return { status: 503, jsonBody: { missing: [...caps.errors.values()] } };
    const { item } = request.params;
    const count = Number(request.query.get('count') ?? 1);
    // The ledger gets the price before this function has it: both calls leave together.
    const price = caps.get('shop.pricing').quote(item, count);
    const order = await caps.get('shop.ledger').enter(item, price);
    const text = await caps.get('text').fill('Order {{number}}: {{count}} x {{item}} for {{cents}} cents', {
      ...order,
      item,
      count,
    });
    return {
      jsonBody: { ...order, text, shards: [...caps.handles.values()].map(({ tier, shard }) => `${tier} ${shard}`) },
    };
  },
});
