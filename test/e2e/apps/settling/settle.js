const { connect } = require('node:http2');
const { app } = require('@azure/functions');

/** The port that the worker was told; the extensions of the official libraries settle there. */
const uri = process.argv[process.argv.indexOf('--functions-uri') + 1];

/** Ends the functions that hold a message. */
const releases = [];

app.serviceBusQueue('take', {
  queueName: '%QUEUE%',
  connection: 'Bus',
  autoCompleteMessages: false,
  handler: async (order, context) => {
    const { lockToken } = context.triggerMetadata;
    if (order === 'held') {
      context.log(`held ${lockToken} at ${uri}`);
      await new Promise((resolve) => releases.push(resolve));
      return;
    }
    const method = order === 'good' ? 'Complete' : 'Deadletter';
    const first = await settle(method, lockToken);
    const second = await settle(method, lockToken);
    context.log(`${order}: ${method} is ${first}, again ${second}`);
  },
});

/** Completes a message whose token it is told, at its own port or another one. */
app.http('settle', {
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: async (request) => ({
    body: await settle('Complete', request.query.get('token'), request.query.get('uri') ?? uri),
  }),
});

app.http('release', {
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: async () => {
    for (const release of releases.splice(0)) release();
    return { body: 'released' };
  },
});

/** A gRPC call with a message whose first field is the lock token. */
function settle(method, lockToken, at = uri) {
  return new Promise((resolve, reject) => {
    const session = connect(at);
    session.on('error', reject);
    const call = session.request({
      ':method': 'POST',
      ':path': `/Settlement/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let status;
    call.on('response', (headers) => {
      status ??= headers['grpc-status'];
    });
    call.on('trailers', (trailers) => {
      status = trailers['grpc-status'];
    });
    call.on('error', reject);
    call.resume().on('end', () => {
      session.close();
      resolve(status);
    });
    const message = Buffer.concat([Buffer.from([0x0a, lockToken.length]), Buffer.from(lockToken)]);
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(message.length, 1);
    call.end(Buffer.concat([prefix, message]));
  });
}
