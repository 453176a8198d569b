/**
 * `customHandler.http`: functions for an app that is a web server and nothing else. Each route is a function
 * `http-handler<n>` that takes every method, as in newer official hosts.
 */
import { describeValue, isJsonObject, type JsonObject, readKey } from '@switchyard/model';
import { RpcFunctionMetadata } from '@switchyard/protocol';
import { customWorkerErrors } from './errors.ts';

export interface HttpRoute {
  readonly route: string;
  readonly authLevel: string;
}

const levels = ['anonymous', 'user', 'function', 'system', 'admin'];
const defaultLevel = 'function';
const methods = ['get', 'post', 'put', 'delete', 'patch', 'head', 'options'];

/** More routes than this are a mistake. */
const maxRoutes = 1_000;

/**
 * Reads `routes` and `defaultAuthorizationLevel`.
 * @throws PlatformError CUSTOM_ROUTE_INVALID
 */
export function parseHttpRoutes(http: JsonObject, file: string): readonly HttpRoute[] {
  const fail = (key: string, value: unknown, expected: string): never => {
    const shown = value === undefined ? 'missing' : describeValue(value);
    throw customWorkerErrors.create('CUSTOM_ROUTE_INVALID', { key, file, value: shown, expected });
  };
  const levelOf = (key: string, value: unknown, otherwise: string): string => {
    if (value === undefined || value === null) return otherwise;
    const level = levels.find((known) => typeof value === 'string' && known === value.toLowerCase());
    return level ?? fail(key, value, `one of ${levels.join(', ')}`);
  };
  const level = levelOf('defaultAuthorizationLevel', readKey(http, 'defaultAuthorizationLevel'), defaultLevel);
  const routes = readKey(http, 'routes') ?? [];
  if (!Array.isArray(routes) || routes.length > maxRoutes) {
    return fail('routes', routes, `a list of at most ${maxRoutes} routes`);
  }
  return routes.map((entry: unknown, index) => {
    const key = `routes[${index}]`;
    if (!isJsonObject(entry)) return fail(key, entry, 'an object with a "route"');
    const route = readKey(entry, 'route');
    if (typeof route !== 'string' || /\s|\/\/|\{\}/.test(route)) {
      return fail(`${key}.route`, route, 'a route template without blanks, "//" or "{}"');
    }
    const own = readKey(entry, 'authorizationLevel');
    return { route, authLevel: levelOf(`${key}.authorizationLevel`, own, level) };
  });
}

/** The functions that the routes stand for, as an index. */
export function toRouteFunctions(routes: readonly HttpRoute[], scriptRoot: string): RpcFunctionMetadata[] {
  return routes.map(({ route, authLevel }, index) => {
    const name = `http-handler${index + 1}`;
    const trigger = { type: 'httpTrigger', direction: 'in', name: 'req', authLevel, methods, route };
    const output = { type: 'http', direction: 'out', name: 'res' };
    return {
      ...RpcFunctionMetadata.decode(new Uint8Array()),
      name,
      functionId: name,
      directory: scriptRoot,
      scriptFile: 'host.json',
      language: 'custom',
      rawBindings: [JSON.stringify(trigger), JSON.stringify(output)],
    };
  });
}
