import { app } from '@azure/functions';

// curl localhost:7071/api/hello/Ada
// curl localhost:7071/api/hello?name=Ada
app.http('hello', {
  methods: ['GET'],
  authLevel: 'anonymous',
  route: 'hello/{name?}',
  handler: (request, context) => {
    const name = request.params.name ?? request.query.get('name') ?? 'world';
    context.log(`Greeting ${name}`);
    return { body: `Hello, ${name}!` };
  },
});
