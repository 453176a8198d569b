/**
 * As much of an image registry as pulling needs (OCI distribution specification, 1.0), with one image of one layer made of
 * the files that a test gives. Engines take plain HTTP from 127.0.0.1.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Blob {
  readonly type: string;
  readonly content: Buffer;
}

const manifestType = 'application/vnd.docker.distribution.manifest.v2+json';
const configType = 'application/vnd.docker.container.image.v1+json';
const layerType = 'application/vnd.docker.image.rootfs.diff.tar';

export class ImageRegistry {
  readonly #server: Server;
  readonly #blobs = new Map<string, Blob>();
  readonly #held: ServerResponse[] = [];
  readonly #manifest: Blob;
  /** How often somebody asked what a tag means. */
  asked = 0;
  /** Layers are promised and do not come. */
  isStuck = false;

  /** `layer` is an uncompressed tar archive. */
  constructor(layer: Buffer, architecture: string) {
    const layerBlob = this.#add(layerType, layer);
    const config = this.#add(
      configType,
      Buffer.from(
        JSON.stringify({
          architecture,
          os: 'linux',
          config: {},
          rootfs: { type: 'layers', diff_ids: [layerBlob.digest] },
          history: [{ created_by: 'a test' }],
        }),
      ),
    );
    const manifest = {
      schemaVersion: 2,
      mediaType: manifestType,
      config: { mediaType: configType, size: config.size, digest: config.digest },
      layers: [{ mediaType: layerType, size: layerBlob.size, digest: layerBlob.digest }],
    };
    this.#manifest = { type: manifestType, content: Buffer.from(JSON.stringify(manifest)) };
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  /** Of the manifest: what a record names as the image's digest. */
  get digest(): string {
    return digestOf(this.#manifest.content);
  }

  /** Where it listens, as the first part of an image's name. */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  close(): void {
    for (const response of this.#held) response.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #add(type: string, content: Buffer): { readonly digest: string; readonly size: number } {
    const digest = digestOf(content);
    this.#blobs.set(digest, { type, content });
    return { digest, size: content.length };
  }

  #answer({ url = '', method }: IncomingMessage, response: ServerResponse): void {
    const [, kind, reference = ''] = /^\/v2\/team\/tool\/(manifests|blobs)\/(.+)$/.exec(url) ?? [];
    if (url === '/v2/') response.writeHead(200, { 'docker-distribution-api-version': 'registry/2.0' }).end('{}');
    else if (kind === 'manifests' && [this.digest, '1.0'].includes(reference)) {
      this.asked += 1;
      send(response, this.#manifest, method);
    } else if (kind === 'blobs' && this.isStuck) {
      response
        .writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': 1_000_000 })
        .flushHeaders();
      this.#held.push(response);
    } else {
      const blob = kind === 'blobs' ? this.#blobs.get(reference) : undefined;
      if (blob !== undefined) send(response, blob, method);
      else
        response
          .writeHead(404, { 'content-type': 'application/json' })
          .end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}');
    }
  }
}

function send(response: ServerResponse, { type, content }: Blob, method: string | undefined): void {
  response.writeHead(200, {
    'content-type': type,
    'content-length': content.length,
    'docker-content-digest': digestOf(content),
  });
  response.end(method === 'HEAD' ? '' : content);
}

function digestOf(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
