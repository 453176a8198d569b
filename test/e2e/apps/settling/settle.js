const { connect } = require('node:http2');
const { app } = require('@azure/functions');

/** The port that the worker was told; the extensions of the official libraries settle there. */
const uri = process.argv[process.argv.indexOf('--functions-uri') + 1];

app.serviceBusQueue('settle', {
  queueName: 'orders',
  connection: 'Bus',
  autoCompleteMessages: false,
  handler: async (order, context) => {
    const method = order === 'good' ? 'Complete' : 'Deadletter';
    const first = await settle(method, context.triggerMetadata.lockToken);
    const second = await settle(method, context.triggerMetadata.lockToken);
    context.log(`${order}: ${method} is ${first}, again ${second}`);
  },
});

/** A gRPC call with a message whose first field is the lock token. */
function settle(method, lockToken) {
  return new Promise((resolve, reject) => {
    const session = connect(uri);
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
