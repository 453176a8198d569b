/**
 * An API server of Kubernetes in memory, with what controllers make of Deployments: for tests. A change of a Deployment shows
 * its effect at the second look, so that whoever does not wait is found out.
 */
import { createHash } from 'node:crypto';
import type { HttpAsk, HttpReply } from '@switchyard/protocol/http-exchange';

interface Stored {
  readonly kind: string;
  readonly manifest: Manifest;
  readonly resourceVersion: number;
  readonly generation: number;
  looks: number;
}

interface Manifest {
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: { readonly replicas?: number; readonly template?: PodTemplate; readonly selector?: unknown };
  readonly data?: Readonly<Record<string, string>>;
}

interface PodTemplate {
  readonly spec: { readonly containers: readonly { readonly image: string }[] };
}

/** Names of resources, and values of labels. */
const nameRule = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const labelRule = /^(?:[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?)?$/;

const looksToReady = 2;

export class ScriptedCluster {
  readonly token = 'a-token-of-the-cluster';
  readonly stored = new Map<string, Stored>();
  /** Images that cannot be had, that never become ready, and whose pods stopped being ready. */
  readonly broken = new Set<string>();
  readonly slow = new Set<string>();
  readonly spoilt = new Set<string>();
  /** What every request is answered with instead, while it is set. */
  refusal: { readonly status: number; readonly message: string } | undefined;
  /** Writes that changed something. */
  changes = 0;
  readonly asked: string[] = [];
  /** The smallest page that lists may have. */
  pageSize = 500;
  /** So many next pages are answered with 410: the cluster keeps places in lists for a while only. */
  forgotten = 0;
  #resourceVersion = 100;

  handle({ method, url, headers, body }: HttpAsk): HttpReply {
    const { pathname, searchParams } = new URL(url, 'https://cluster');
    this.asked.push(`${method} ${pathname}`);
    if (this.refusal !== undefined) return status(this.refusal.status, this.refusal.message);
    if (headers.authorization !== `Bearer ${this.token}`) return status(401, 'Unauthorized');
    const found =
      /^\/(?:api|apis\/apps)\/v1\/namespaces\/shops\/(deployments|services|secrets|pods)(?:\/([^/]+))?$/.exec(pathname);
    const [, kind = '', name = ''] = found ?? [];
    if (kind === '') return status(404, `there is no ${pathname}`);
    if (name === '') return this.#list(kind, searchParams);
    const key = `${kind}/${name}`;
    if (method === 'GET') return this.#get(key);
    if (method === 'DELETE') return this.#delete(key);
    if (method === 'PATCH') return this.#apply(key, { headers, body: body ?? '', searchParams });
    return status(405, `${method} is not taken`);
  }

  deployment(image: string): Stored | undefined {
    return [...this.stored.values()].find((one) => one.kind === 'deployments' && imageOf(one) === image);
  }

  #get(key: string): HttpReply {
    const found = this.stored.get(key);
    return found === undefined ? status(404, `${key} not found`) : json(200, this.#show(found));
  }

  #delete(key: string): HttpReply {
    if (!this.stored.delete(key)) return status(404, `${key} not found`);
    this.changes += 1;
    return json(200, {});
  }

  #apply(
    key: string,
    { headers, body, searchParams }: { headers: HttpAsk['headers']; body: string; searchParams: URLSearchParams },
  ): HttpReply {
    if (headers['content-type'] !== 'application/apply-patch+yaml') return status(415, 'no apply');
    if (searchParams.get('fieldManager') === null) return status(400, 'fieldManager is required for apply patch');
    const manifest = JSON.parse(body) as Manifest;
    const [kind = '', name = ''] = key.split('/');
    const labels = Object.values(manifest.metadata.labels ?? {});
    if (manifest.metadata.name !== name || !nameRule.test(name))
      return status(422, `metadata.name '${name}' is no name`);
    const bad = labels.find((value) => !labelRule.test(value));
    if (bad !== undefined) return status(422, `metadata.labels: '${bad}' is no label`);
    const before = this.stored.get(key);
    if (before !== undefined && hash(before.manifest) === hash(manifest)) return json(200, this.#show(before));
    if (
      before !== undefined &&
      kind === 'deployments' &&
      hash(selectorOf(before.manifest)) !== hash(selectorOf(manifest))
    ) {
      return status(422, 'spec.selector: field is immutable');
    }
    this.changes += 1;
    this.#resourceVersion += 1;
    const isSameSpec = before !== undefined && hash(before.manifest.spec) === hash(manifest.spec);
    const after: Stored = {
      ...{ kind, manifest, resourceVersion: this.#resourceVersion },
      generation: (before?.generation ?? 0) + (isSameSpec ? 0 : 1),
      looks: isSameSpec ? before.looks : 0,
    };
    this.stored.set(key, after);
    return json(before === undefined ? 201 : 200, this.#show(after));
  }

  #list(kind: string, query: URLSearchParams): HttpReply {
    const selector = (query.get('labelSelector') ?? '').split(',').map((part) => part.split('='));
    const has = (labels: Readonly<Record<string, string>> = {}): boolean =>
      selector.every(([name = '', value]) => labels[name] === value);
    if (kind === 'pods') return json(200, { metadata: {}, items: this.#pods(has) });
    const all = [...this.stored.values()].filter((one) => one.kind === kind && has(one.manifest.metadata.labels));
    const from = Number(query.get('continue') ?? 0);
    if (from > 0 && this.forgotten > 0) {
      this.forgotten -= 1;
      return status(410, 'The provided continue parameter is too old');
    }
    const items = all.slice(from, from + this.pageSize).map((one) => this.#show(one));
    const next = from + this.pageSize < all.length ? { continue: String(from + this.pageSize) } : {};
    return json(200, { metadata: next, items });
  }

  #pods(has: (labels: Readonly<Record<string, string>> | undefined) => boolean): readonly object[] {
    const own = [...this.stored.values()].filter(
      (one) => one.kind === 'deployments' && has(one.manifest.metadata.labels),
    );
    return own.map((one) => ({
      metadata: { name: `${one.manifest.metadata.name}-x` },
      status: {
        containerStatuses: this.broken.has(imageOf(one))
          ? [{ state: { waiting: { reason: 'ImagePullBackOff', message: `there is no image ${imageOf(one)}` } } }]
          : [],
      },
    }));
  }

  #show(one: Stored): object {
    const { manifest, resourceVersion, generation } = one;
    const metadata = { ...manifest.metadata, resourceVersion: String(resourceVersion), generation };
    if (one.kind !== 'deployments') return { ...manifest, metadata };
    one.looks += 1;
    const image = imageOf(one);
    const replicas = manifest.spec?.replicas ?? 1;
    const isUp = one.looks >= looksToReady && !this.broken.has(image) && !this.slow.has(image);
    const observedGeneration = one.looks >= looksToReady ? generation : generation - 1;
    const readyReplicas = isUp && !this.spoilt.has(image) ? replicas : 0;
    return {
      ...manifest,
      metadata,
      status: { observedGeneration, replicas, updatedReplicas: replicas, readyReplicas },
    };
  }
}

function imageOf({ manifest }: Stored): string {
  return manifest.spec?.template?.spec.containers[0]?.image ?? '';
}

function selectorOf(manifest: Manifest): unknown {
  return manifest.spec?.selector;
}

function hash(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(value) ?? '')
    .digest('hex');
}

function status(code: number, message: string): HttpReply {
  return json(code, { kind: 'Status', message });
}

function json(code: number, body: unknown): HttpReply {
  return { status: code, text: JSON.stringify(body) };
}
