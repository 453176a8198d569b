/** The floor of every HTTP number: `node:http` that says hello. `node bare-http.ts <port>`. */
import { createServer } from 'node:http';

const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'text/plain', 'content-length': '12' });
  response.end('Hello, world');
});
server.listen(Number(process.argv[2]), '127.0.0.1');
