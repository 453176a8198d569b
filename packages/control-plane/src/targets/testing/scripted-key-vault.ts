/** Azure Key Vault over TLS on this machine, for tests: it asks who is there before it answers, as the service does. */
import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';

interface StoredVersion {
  readonly id: string;
  readonly value: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly createdAt: number;
  enabled: boolean;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export class ScriptedKeyVault {
  readonly token = 'a-token-of-the-vault';
  readonly secrets = new Map<string, StoredVersion[]>();
  readonly asked: string[] = [];
  /** How many of the next requests are throttled. */
  throttled = 0;
  readonly #server: Server;
  #versions = 0;

  constructor(tls: { readonly certificate: string; readonly key: string }) {
    this.#server = createServer({ cert: tls.certificate, key: tls.key }, (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { status, body, headers = {} } = this.#reply(request, Buffer.concat(chunks).toString());
        response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this.url;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Adds a version, the way somebody else would. */
  put(name: string, value: string, tags: Readonly<Record<string, string>> = {}): StoredVersion {
    this.#versions += 1;
    const id = String(this.#versions).padStart(32, '0');
    const made: StoredVersion = { id, value, tags, createdAt: 1_700_000_000 + this.#versions, enabled: true };
    this.secrets.set(name, [...(this.secrets.get(name) ?? []), made]);
    return made;
  }

  #reply({ method = '', url = '', headers }: IncomingMessage, text: string): Answer {
    const { pathname } = new URL(url, 'https://vault');
    this.asked.push(`${method} ${pathname}`);
    if (headers.authorization !== `Bearer ${this.token}`) {
      const authority = 'https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000';
      const challenge = `Bearer authorization="${authority}", resource="https://vault.azure.net"`;
      return { status: 401, body: problem('Unauthorized'), headers: { 'www-authenticate': challenge } };
    }
    if (this.throttled > 0) {
      this.throttled -= 1;
      return { status: 429, body: problem('Throttled'), headers: { 'retry-after': '0' } };
    }
    const [, name = '', version = ''] = /^\/secrets\/([0-9a-zA-Z-]{1,127})(?:\/(\w*))?$/.exec(pathname) ?? [];
    if (name === '') return { status: 400, body: problem('BadParameter') };
    if (method === 'PUT') {
      const { value, tags } = JSON.parse(text) as { value: string; tags?: Record<string, string> };
      return { status: 200, body: this.#show(name, this.put(name, value, tags)) };
    }
    const all = this.secrets.get(name) ?? [];
    if (version === 'versions') return { status: 200, body: { value: all.map((one) => this.#properties(name, one)) } };
    const found = version === '' ? all.at(-1) : all.find(({ id }) => id === version);
    if (found === undefined) return { status: 404, body: problem('SecretNotFound') };
    if (method === 'PATCH') {
      found.enabled = (JSON.parse(text) as { attributes: { enabled: boolean } }).attributes.enabled;
      return { status: 200, body: this.#properties(name, found) };
    }
    return found.enabled
      ? { status: 200, body: this.#show(name, found) }
      : { status: 403, body: problem('SecretDisabled') };
  }

  #properties(name: string, { id, tags, createdAt, enabled }: StoredVersion): object {
    return {
      id: `${this.url}/secrets/${name}/${id}`,
      tags,
      attributes: { enabled, created: createdAt, updated: createdAt },
    };
  }

  #show(name: string, version: StoredVersion): object {
    return { ...this.#properties(name, version), value: version.value };
  }
}

function problem(code: string): object {
  return { error: { code, message: `${code} it is` } };
}
