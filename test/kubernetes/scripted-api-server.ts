/** An API server of Kubernetes over TLS that answers what a test tells it to, and remembers who asked for what. */
import type { OutgoingHttpHeaders } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createSelfSigned } from '../../packages/protocol/src/testing/self-signed.ts';

export interface AskedOfServer {
  readonly line: string;
  readonly authorization: string | undefined;
  readonly contentType: string | undefined;
  /** As whom the caller asks, where that is not itself. */
  readonly as: string | undefined;
  readonly body: string;
  /** The name in the certificate that the caller has shown; undefined when none was, or one that the server does not believe. */
  readonly caller: string | undefined;
}

/** What is answered; `silence` is never answered. */
export type ServerAnswer =
  | { readonly status: number; readonly body: unknown; readonly headers?: OutgoingHttpHeaders }
  | 'silence';

export interface ApiServerOptions {
  /** Of callers that show a certificate. */
  readonly clientAuthority?: string;
  /** Of its own certificate; its address when left out. */
  readonly names?: readonly string[];
}

export class ScriptedApiServer {
  readonly asked: AskedOfServer[] = [];
  /** In this order; after the last one comes `otherwise`. */
  answers: ServerAnswer[] = [];
  otherwise: (asked: AskedOfServer) => ServerAnswer = () => ({ status: 200, body: { metadata: {}, items: [] } });
  connections = 0;
  readonly authority: string;
  url = '';
  readonly #server: Server;

  private constructor({ clientAuthority, names }: ApiServerOptions) {
    const { certificate, key } = createSelfSigned('kubernetes', names);
    this.authority = certificate;
    const clients =
      clientAuthority === undefined ? {} : { requestCert: true, rejectUnauthorized: false, ca: clientAuthority };
    this.#server = createServer({ cert: certificate, key, ...clients }, (incoming, response) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        const { authorization, 'content-type': contentType, 'impersonate-user': as } = incoming.headers;
        const socket = incoming.socket as TLSSocket;
        const asked: AskedOfServer = {
          line: `${incoming.method} ${incoming.url}`,
          ...{ authorization, contentType, as: as?.toString() },
          body: Buffer.concat(chunks).toString(),
          caller: socket.authorized ? String(socket.getPeerCertificate().subject.CN) : undefined,
        };
        this.asked.push(asked);
        const answer = this.answers.shift() ?? this.otherwise(asked);
        if (answer === 'silence') return;
        response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
        response.end(JSON.stringify(answer.body));
      });
    });
    this.#server.on('secureConnection', () => {
      this.connections += 1;
    });
  }

  static async open(options: ApiServerOptions = {}): Promise<ScriptedApiServer> {
    const server = new ScriptedApiServer(options);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    server.url = `https://127.0.0.1:${(server.#server.address() as AddressInfo).port}`;
    return server;
  }

  /** A kubeconfig for it. `cluster` is said on top of its address and authority. */
  kubeconfig(user: object, cluster: object = {}): string {
    const authority = Buffer.from(this.authority).toString('base64');
    return JSON.stringify({
      'current-context': 'test',
      contexts: [{ name: 'test', context: { cluster: 'one', user: 'me' } }],
      clusters: [
        {
          name: 'one',
          cluster: { server: this.url, 'certificate-authority-data': authority, ...cluster },
        },
      ],
      users: [{ name: 'me', user }],
    });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export const status = (message: string, reason?: string): object => ({
  ...{ kind: 'Status', apiVersion: 'v1', status: 'Failure', message },
  ...(reason === undefined ? {} : { reason }),
});
