import { app } from '@azure/functions';

// JSON in, JSON out. The route takes whole numbers only: anything else is a 404.
// curl -d '{"add": [1, 2, 3]}' localhost:7071/api/sum/10
app.http('sum', {
  methods: ['POST'],
  authLevel: 'anonymous',
  route: 'sum/{start:int}',
  handler: async (request) => {
    const { add } = await request.json();
    if (!Array.isArray(add) || !add.every(Number.isFinite)) {
      return { status: 400, jsonBody: { error: 'add must be a list of numbers' } };
    }
    return { jsonBody: { sum: add.reduce((sum, number) => sum + number, Number(request.params.start)) } };
  },
});
