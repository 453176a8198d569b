/** Reading the keys of Redis bindings. */
import type { BindingMetadata } from '@switchyard/model';
import type { BindingScope } from '../contract.ts';
import { redisErrors } from './errors.ts';

/** A text with its settings filled in. Throws REDIS_BINDING_INVALID when it is not there. */
export function readText(key: string, binding: BindingMetadata, scope: BindingScope): string {
  const value = binding.raw[key];
  if (typeof value !== 'string' || value.trim() === '') {
    throw bindingInvalid(binding, scope, `"${key}" is ${JSON.stringify(value) ?? 'missing'}, but it must be a text`);
  }
  return scope.settings.expand(value, `"${key}" of function '${scope.function.name}'`);
}

export function readFlag(key: string, binding: BindingMetadata, scope: BindingScope): boolean {
  const value = binding.raw[key] ?? false;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string' && /^(true|false)$/i.test(value)) return value.toLowerCase() === 'true';
  throw bindingInvalid(binding, scope, `"${key}" is ${JSON.stringify(value)}, but it must be true or false`);
}

/** A whole number from `minimum` on. */
export function readCount(
  key: string,
  fallback: number,
  minimum: number,
  binding: BindingMetadata,
  scope: BindingScope,
): number {
  const value = Number(binding.raw[key] ?? fallback);
  if (Number.isInteger(value) && value >= minimum) return value;
  const given = JSON.stringify(binding.raw[key]);
  throw bindingInvalid(binding, scope, `"${key}" is ${given}, but it must be a whole number from ${minimum} on`);
}

export function bindingInvalid(binding: BindingMetadata, scope: BindingScope, problem: string): Error {
  const details = { function: scope.function.name, binding: binding.name, problem };
  return redisErrors.create('REDIS_BINDING_INVALID', details);
}
