/** A custom handler: it answers what the host asks, function by function. */
import { createServer } from 'node:http';

const answers = {
  /** What the handler got, and what it sees of its process. */
  Echo: (call, request) => ({
    Outputs: {
      res: {
        statusCode: 201,
        headers: { 'content-type': 'application/json', 'x-kit': 'custom' },
        body: JSON.stringify({
          data: call.Data,
          metadata: call.Metadata,
          path: request.url,
          method: request.method,
          headers: request.headers,
          seen: process.env.KIT_SEEN,
          root: process.env.FUNCTIONS_APP_ROOT_PATH,
        }),
      },
    },
  }),
  Silent: () => ({ Outputs: {} }),
  Outputs: () => ({ Outputs: { res: { status: 202, body: 'accepted' } }, Logs: ['a line of the handler'] }),
  Returned: () => ({ ReturnValue: { statusCode: 203, body: 'returned' } }),
};

createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const answer = answers[request.url.slice(1)];
    if (answer === undefined) {
      response.writeHead(500).end();
      return;
    }
    const call = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer(call, request)));
  });
}).listen(Number(process.env.FUNCTIONS_CUSTOMHANDLER_PORT), '127.0.0.1');
