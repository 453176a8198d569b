/**
 * One namespace of a Kubernetes cluster, as those see it who keep pods or services there. The composition root opens it, over the
 * official client; who asks, by which credentials and how often is its business alone.
 */

/** Resources by the names that the cluster's paths have. */
export type ClusterResourceKind = 'pods' | 'services' | 'secrets' | 'deployments';

export interface ClusterRefusal {
  readonly kind: 'refused';
  /** HTTP, of the last try. */
  readonly status: number;
  /** In the cluster's words. */
  readonly reason: string;
}

export type ClusterReply<T> = { readonly kind: 'done'; readonly value: T } | ClusterRefusal;

/** Resources are told of as the cluster's API describes them; a reader takes what it needs. */
export interface ClusterPage {
  readonly items: readonly unknown[];
  /** Where the next page begins. */
  readonly next?: string;
}

export interface ClusterQuery {
  readonly labels: Readonly<Record<string, string>>;
  /** All at once when left out. */
  readonly pageSize?: number;
  readonly after?: string;
}

/**
 * Refusals are answers. What the cluster asks to be tried again is tried again, within the deadline of the call. All methods reject
 * when there is no answer, and when nobody gives this process credentials.
 */
export interface ClusterApi {
  /** `https://host:port`. */
  readonly server: string;
  createPod(manifest: object): Promise<ClusterReply<unknown>>;
  get(kind: ClusterResourceKind, name: string): Promise<ClusterReply<unknown>>;
  list(kind: ClusterResourceKind, query: ClusterQuery): Promise<ClusterReply<ClusterPage>>;
  /** Makes it so, whether it is there or not (server-side apply); what is so already is not changed. */
  apply(kind: ClusterResourceKind, name: string, manifest: object): Promise<ClusterReply<unknown>>;
  /** What belongs to it goes with it. A process in it may take `graceSeconds` to end. */
  remove(kind: ClusterResourceKind, name: string, graceSeconds?: number): Promise<ClusterReply<unknown>>;
}
