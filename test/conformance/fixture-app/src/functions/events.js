import { app, output } from '@azure/functions';
import { note } from '../notes.js';

app.eventGrid('gridOne', {
  handler: (event, context) => note(event.data.kitKey, { event, metadata: context.triggerMetadata }),
});
app.generic('gridMany', {
  trigger: { type: 'eventGridTrigger', name: 'events', cardinality: 'many' },
  handler: (events) => note(events[0].data.kitKey, events),
});
app.eventGrid('gridFails', {
  handler: (event) => {
    note(event.data.kitKey, 'try');
    throw new Error('fails always');
  },
});
app.generic('blobByEvents', {
  trigger: {
    type: 'blobTrigger',
    name: 'blob',
    path: 'kit-events/{name}',
    connection: 'AzureWebJobsStorage',
    source: 'EventGrid',
  },
  handler: (content, context) => note(`events-${context.triggerMetadata.name}`, Buffer.from(content).toString('utf8')),
});
app.warmup('warmedUp', { handler: () => note('warm-up', 'ran') });

/** Events that go to a topic which nobody answers at: publishing fails the function. */
const topic = output.eventGrid({ topicEndpointUri: 'KIT_TOPIC', topicKeySetting: 'KIT_TOPIC_KEY' });
app.http('gridSend', {
  route: 'grid/send',
  methods: ['POST'],
  authLevel: 'anonymous',
  extraOutputs: [topic],
  handler: async (request, context) => {
    context.extraOutputs.set(topic, await request.json());
    return { status: 202 };
  },
});
