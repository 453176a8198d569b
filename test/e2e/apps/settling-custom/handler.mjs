/** A custom handler that settles its Service Bus messages itself, at the address that it is told. */
import { createServer } from 'node:http';
import { connect } from 'node:http2';

createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const { Data, Metadata } = JSON.parse(Buffer.concat(parts).toString('utf8'));
  const order = JSON.parse(Data.order);
  const lockToken = JSON.parse(Metadata.LockToken);
  const method = order === 'good' ? 'Complete' : 'Deadletter';
  const first = await settle(method, lockToken);
  const second = await settle(method, lockToken);
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ Logs: [`${order}: ${method} is ${first}, again ${second}`] }));
}).listen(Number(process.env.FUNCTIONS_CUSTOMHANDLER_PORT), '127.0.0.1');

/** A gRPC call with a message whose first field is the lock token. */
function settle(method, lockToken) {
  return new Promise((resolve, reject) => {
    const session = connect(process.env.FUNCTIONS_URI).on('error', reject);
    const headers = { 'content-type': 'application/grpc', te: 'trailers' };
    const call = session.request({ ':method': 'POST', ':path': `/Settlement/${method}`, ...headers });
    let status;
    call.on('response', (head) => {
      status ??= head['grpc-status'];
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
