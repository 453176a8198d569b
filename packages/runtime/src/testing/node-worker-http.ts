import { Agent, request } from 'node:http';
import type { WorkerHttp } from '../http-stream/worker-http.ts';

/** The way to a worker's server over plain connections; kept alive when a test wants that. */
export function createTestWorkerHttp(keepAlive = false): WorkerHttp & { close(): void } {
  const agent = new Agent({ keepAlive });
  return {
    open: ({ httpUri, method, target, headers }) => {
      const { hostname, port } = new URL(httpUri);
      return request({ agent, hostname, port, method, path: target, headers: [...headers] });
    },
    close: () => agent.destroy(),
  };
}
