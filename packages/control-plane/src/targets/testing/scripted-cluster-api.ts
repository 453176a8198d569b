import type { ClusterApi, ClusterReply } from '@switchyard/protocol';
import type { HttpAsk } from '@switchyard/protocol/http-exchange';
import type { ScriptedCluster } from './scripted-cluster.ts';

const server = 'https://cluster:6443';

/** The scripted cluster without a network between. */
export function createScriptedClusterApi(cluster: ScriptedCluster): ClusterApi {
  const ask = async (
    method: HttpAsk['method'],
    path: string,
    query: Readonly<Record<string, string>> = {},
    body?: object,
  ): Promise<ClusterReply<unknown>> => {
    const root = path.startsWith('deployments') ? '/apis/apps/v1' : '/api/v1';
    const url = `${server}${root}/namespaces/shops/${path}?${new URLSearchParams(query)}`;
    const headers = {
      authorization: `Bearer ${cluster.token}`,
      'content-type': method === 'PATCH' ? 'application/apply-patch+yaml' : 'application/json',
    };
    const text = body === undefined ? {} : { body: JSON.stringify(body) };
    const reply = cluster.handle({ method, url, headers, ...text });
    const value = JSON.parse(reply.text);
    return reply.status < 300
      ? { kind: 'done', value }
      : { kind: 'refused', status: reply.status, reason: value.message };
  };
  return {
    server,
    createPod: (manifest) => ask('POST', 'pods', {}, manifest),
    get: (kind, name) => ask('GET', `${kind}/${name}`),
    async list(kind, { labels, after }) {
      const labelSelector = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
      const place = after === undefined ? {} : { continue: after };
      const reply = await ask('GET', kind, { labelSelector: labelSelector.join(','), ...place });
      if (reply.kind === 'refused') return reply;
      const { items, metadata } = reply.value as {
        readonly items: readonly unknown[];
        readonly metadata: { readonly continue?: string };
      };
      return {
        kind: 'done',
        value: { items, ...(metadata.continue === undefined ? {} : { next: metadata.continue }) },
      };
    },
    apply: (kind, name, manifest) => ask('PATCH', `${kind}/${name}`, { fieldManager: 'test' }, manifest),
    remove: (kind, name) => ask('DELETE', `${kind}/${name}`),
  };
}
