/** Sends events to a topic. */
export interface EventPublisher {
  /** Rejects when there is no answer; any status is one. */
  publish(topic: EventTopic, body: string, signal: AbortSignal): Promise<{ readonly status: number }>;
}

export interface EventTopic {
  readonly endpoint: string;
  /** A secret: the topic's key, sent as `aeg-sas-key`. */
  readonly key: string;
  /** True for CloudEvents 1.0. */
  readonly isCloudEvents: boolean;
}

/** Publishes over HTTP, as Event Grid wants it. */
export const httpEventPublisher: EventPublisher = {
  async publish({ endpoint, key, isCloudEvents }, body, signal) {
    const type = isCloudEvents ? 'application/cloudevents-batch+json' : 'application/json';
    const headers = { 'content-type': `${type}; charset=utf-8`, 'aeg-sas-key': key };
    const { status } = await fetch(withVersion(endpoint), { method: 'POST', headers, body, signal, redirect: 'error' });
    return { status };
  },
};

const apiVersion = '2018-01-01';

function withVersion(endpoint: string): string {
  const url = new URL(endpoint);
  if (!url.searchParams.has('api-version')) url.searchParams.set('api-version', apiVersion);
  return url.href;
}
