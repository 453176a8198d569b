import { app, type HttpRequest, type HttpResponseInit, type InvocationContext } from '@azure/functions';
import { greet } from '../greeting.js';

// curl localhost:7071/api/hello/Ada
async function hello(request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
  const name = request.params.name ?? request.query.get('name') ?? 'world';
  context.info(`Greeting ${name}`);
  return { body: greet(name) };
}

app.http('hello', { methods: ['GET'], authLevel: 'anonymous', route: 'hello/{name?}', handler: hello });
