/** `admin/host/keys`, `systemkeys` and `admin/functions/{name}/keys` (KeysController of the official host). */
import type { HttpReply } from '@switchyard/triggers';
import type { KeyScope, KeyStore, NamedKey } from '../contract.ts';
import { type AdminCall, type AdminRoute, emptyReply, jsonReply } from './admin-call.ts';

/** The name under which the master key is reached among those of the host. */
const masterKeyName = '_master';

const maxKeyLength = 1_024;

export const keyRoutes: readonly AdminRoute[] = [
  { methods: ['GET'], pattern: /^\/admin\/host\/(keys|functionkeys|systemkeys)$/i, serve: listKeys },
  {
    methods: ['GET', 'POST', 'PUT', 'DELETE'],
    pattern: /^\/admin\/host\/(keys|functionkeys|systemkeys)\/([^/]+)$/i,
    readsBody: true,
    serve: serveKey,
  },
  { methods: ['GET'], pattern: /^\/admin\/functions\/([^/]+)\/keys$/i, serve: listFunctionKeys },
  {
    methods: ['GET', 'POST', 'PUT', 'DELETE'],
    pattern: /^\/admin\/functions\/([^/]+)\/keys\/([^/]+)$/i,
    readsBody: true,
    serve: serveFunctionKey,
  },
];

function listKeys(call: AdminCall): Promise<HttpReply> | HttpReply {
  return withStore(call, (store) => listOf(store, hostScope(call.parameters[0] ?? '', ''), call));
}

function listFunctionKeys(call: AdminCall): Promise<HttpReply> | HttpReply {
  return withFunctionScope(call, (store, scope) => listOf(store, scope, call));
}

function serveKey(call: AdminCall): Promise<HttpReply> | HttpReply {
  const [place = '', name = ''] = call.parameters;
  return withStore(call, (store) => serveNamed(store, hostScope(place, name), name, call));
}

function serveFunctionKey(call: AdminCall): Promise<HttpReply> | HttpReply {
  const name = call.parameters[1] ?? '';
  return withFunctionScope(call, (store, scope) => serveNamed(store, scope, name, call));
}

function hostScope(place: string, name: string): KeyScope {
  if (place.toLowerCase() === 'systemkeys') return { kind: 'system' };
  return name.toLowerCase() === masterKeyName ? { kind: 'master' } : { kind: 'host' };
}

async function listOf(store: KeyStore, scope: KeyScope, { url }: AdminCall): Promise<HttpReply> {
  const keys = await store.list(scope);
  return jsonReply(200, {
    keys: keys.map(({ name, value }) => ({ name, value })),
    links: [{ rel: 'self', href: withoutQuery(url) }],
  });
}

async function serveNamed(store: KeyStore, scope: KeyScope, name: string, call: AdminCall): Promise<HttpReply> {
  switch (call.method) {
    case 'GET': {
      const keys = await store.list(scope);
      const key = scope.kind === 'master' ? keys[0] : keys.find((other) => isSame(other.name, name));
      return key === undefined ? emptyReply(404) : keyReply(200, key, call);
    }
    case 'DELETE':
      if (scope.kind === 'master') return jsonReply(400, { message: 'The master key cannot be deleted.' });
      return emptyReply((await store.remove(scope, name)) ? 204 : 404);
    default: {
      const wish = call.method === 'PUT' ? parseWish(call.body) : { value: undefined };
      if (wish === undefined) return jsonReply(400, { message: 'Send a JSON object such as {"value": "the key"}.' });
      const { key, isNew } = await store.set(scope, name, wish.value);
      return keyReply(isNew ? 201 : 200, key, call);
    }
  }
}

function keyReply(status: number, { name, value }: NamedKey, { url }: AdminCall): HttpReply {
  return jsonReply(status, { name, value, links: [{ rel: 'self', href: withoutQuery(url) }] });
}

/** What a PUT asks for: a value of its own, or one that is made up. */
function parseWish(text: string): { readonly value: string | undefined } | undefined {
  if (text.trim() === '') return { value: undefined };
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined;
    const value: unknown = Object.hasOwn(body, 'value') ? (body as { value: unknown }).value : undefined;
    if (value === undefined || value === null) return { value: undefined };
    return typeof value === 'string' && value !== '' && value.length <= maxKeyLength ? { value } : undefined;
  } catch {
    return undefined;
  }
}

function withStore(
  { jobHost }: AdminCall,
  serve: (store: KeyStore) => Promise<HttpReply>,
): Promise<HttpReply> | HttpReply {
  const { keyStore } = jobHost.application;
  if (keyStore !== undefined) return serve(keyStore);
  return jsonReply(501, { message: 'This host keeps no keys for the app: every caller is let in.' });
}

function withFunctionScope(
  call: AdminCall,
  serve: (store: KeyStore, scope: KeyScope) => Promise<HttpReply>,
): Promise<HttpReply> | HttpReply {
  const entry = call.jobHost.catalog?.find(call.parameters[0] ?? '');
  if (entry === undefined) return emptyReply(404);
  return withStore(call, (store) => serve(store, { kind: 'function', functionName: entry.metadata.name }));
}

function withoutQuery(url: string): string {
  return url.split('?', 1)[0] ?? url;
}

function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
