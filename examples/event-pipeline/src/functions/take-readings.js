import { app, output } from '@azure/functions';

const readings = output.eventHub({ eventHubName: 'readings', connection: 'EventHubs' });

// POST /api/readings with a list of `{ device, celsius }` -> event hub `readings`, one event each.
app.http('takeReadings', {
  route: 'readings',
  methods: ['POST'],
  authLevel: 'anonymous',
  extraOutputs: [readings],
  handler: async (request, context) => {
    const list = await request.json();
    if (!Array.isArray(list)) return { status: 400, body: 'Send a list of readings.' };
    context.extraOutputs.set(readings, list);
    return { status: 202, jsonBody: { taken: list.length } };
  },
});
