/** Sends events to a topic. */
import type { Secret } from '@switchyard/kernel';
import type { IdentitySettings } from '../identity/identity-settings.ts';
import type { TokenSource } from '../identity/token-source.ts';

export interface EventPublisher {
  /** Rejects when there is no answer; any status is one. */
  publish(topic: EventTopic, body: string, signal: AbortSignal): Promise<{ readonly status: number }>;
}

export interface EventTopic {
  readonly endpoint: string;
  readonly access: TopicAccess;
  /** True for CloudEvents 1.0. */
  readonly isCloudEvents: boolean;
}

export type TopicAccess =
  /** Sent as `aeg-sas-key`. */
  { readonly kind: 'key'; readonly key: Secret } | { readonly kind: 'identity'; readonly identity: IdentitySettings };

/** Whom tokens for topics are for. */
const scope = 'https://eventgrid.azure.net/.default';

/** Publishes over HTTP, as Event Grid wants it. */
export function createHttpEventPublisher(tokens: TokenSource): EventPublisher {
  const headerOf = async (access: TopicAccess, signal: AbortSignal): Promise<Readonly<Record<string, string>>> => {
    if (access.kind === 'key') return { 'aeg-sas-key': access.key.reveal() };
    const token = await tokens(access.identity, scope, signal);
    return { authorization: `Bearer ${token.reveal()}` };
  };
  return {
    async publish({ endpoint, access, isCloudEvents }, body, signal) {
      const type = isCloudEvents ? 'application/cloudevents-batch+json' : 'application/json';
      const headers = { 'content-type': `${type}; charset=utf-8`, ...(await headerOf(access, signal)) };
      const request = { method: 'POST', headers, body, signal, redirect: 'error' } as const;
      const { status } = await fetch(withVersion(endpoint), request);
      return { status };
    },
  };
}

const apiVersion = '2018-01-01';

function withVersion(endpoint: string): string {
  const url = new URL(endpoint);
  if (!url.searchParams.has('api-version')) url.searchParams.set('api-version', apiVersion);
  return url.href;
}
