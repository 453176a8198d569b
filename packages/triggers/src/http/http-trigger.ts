import type { BindingMetadata } from '@switchyard/model';
import type { BindingScope, OutputBindingKind, RouteTriggerKind } from '../contract.ts';
import { triggerErrors } from '../errors.ts';
import type { AuthLevel } from './contract.ts';

const authLevels: readonly AuthLevel[] = ['anonymous', 'user', 'function', 'system', 'admin'];

/** First segments that the platform keeps for itself, as the official host does. */
const reservedSegments: readonly string[] = ['admin', 'runtime'];

/** An HTTP method is a token of RFC 9110. */
const methodPattern = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

/** The HTTP trigger: the route defaults to the function's name, the level to `function`, the methods to all. */
export const httpTriggerKind: RouteTriggerKind = {
  style: 'route',
  type: 'httpTrigger',
  parse: (binding, scope) => ({
    route: parseRoute(binding, scope),
    methods: parseMethods(binding, scope),
    authLevel: parseAuthLevel(binding, scope),
  }),
};

/** The HTTP output. The gateway takes its value as the response (see `toHttpReply`), so there is nothing to write. */
export const httpOutputKind: OutputBindingKind<null> = {
  type: 'http',
  parse: () => null,
  write: async () => {},
};

function parseRoute(binding: BindingMetadata, scope: BindingScope): string {
  const value = binding.raw.route;
  if (value === undefined || value === null || value === '') return scope.function.name;
  if (typeof value !== 'string') throw triggerErrors.create('HTTP_ROUTE_INVALID', mistake(binding, scope, value));
  const route = scope.settings.expand(value, `"route" of function '${scope.function.name}'`).replace(/^\/+/, '');
  // Nothing but a slash is the root of the prefix, other than nothing at all.
  if (route === '') return '/';
  const segment = route.split('/', 1)[0] ?? '';
  if (reservedSegments.includes(segment.toLowerCase())) {
    throw triggerErrors.create('HTTP_ROUTE_RESERVED', { ...mistake(binding, scope, route), value: route, segment });
  }
  return route;
}

function parseMethods(binding: BindingMetadata, scope: BindingScope): readonly string[] {
  const value = binding.raw.methods;
  if (value === undefined || value === null) return [];
  const isList = Array.isArray(value) && value.every((item) => typeof item === 'string' && methodPattern.test(item));
  if (!isList) throw triggerErrors.create('HTTP_METHODS_INVALID', mistake(binding, scope, value));
  return [...new Set((value as string[]).map((method) => method.toUpperCase()))];
}

function parseAuthLevel(binding: BindingMetadata, scope: BindingScope): AuthLevel {
  const value = binding.raw.authLevel;
  if (value === undefined || value === null || value === '') return 'function';
  const level = authLevels.find((candidate) => typeof value === 'string' && candidate === value.toLowerCase());
  if (level === undefined) throw triggerErrors.create('HTTP_AUTH_LEVEL_INVALID', mistake(binding, scope, value));
  return level;
}

function mistake(binding: BindingMetadata, scope: BindingScope, value: unknown): Record<string, string> {
  return { function: scope.function.name, binding: binding.name, value: JSON.stringify(value) };
}
