import type { CallContext, CapabilityInstance, CapabilityModule } from '../capability-module.ts';
import { asText } from '../parameters.ts';
import { applyPatch, mergeJson } from './json-patch.ts';
import { valueAt } from './json-pointer.ts';
import { canonicalJson, copyJson, equalJson, type JsonValue } from './json-value.ts';

/** What `json` does, for callers in TypeScript. */
export interface JsonTools {
  /** The value at a JSON pointer (RFC 6901); undefined when there is none. */
  pointer(json: unknown, pointer: string): PromiseLike<unknown>;
  /** The document after a JSON patch (RFC 6902): all operations, or an error and none. */
  patch(document: unknown, operations: readonly unknown[]): PromiseLike<JsonValue>;
  /** The document after a JSON merge patch (RFC 7396). */
  merge(document: unknown, patch: unknown): PromiseLike<JsonValue>;
  /** JSON with sorted keys: equal values give equal text. */
  canonical(value: unknown): PromiseLike<string>;
  equal(left: unknown, right: unknown): PromiseLike<boolean>;
}

/** `json`, tier 1: tools for JSON values. It keeps nothing. */
export const jsonCapability: CapabilityModule = {
  create: (): CapabilityInstance => ({ methods }),
};

const methods = {
  pointer: (_call: CallContext, json: unknown, pointer: unknown): unknown =>
    valueAt(json, asText(pointer, 'The pointer')),
  patch: (_call: CallContext, document: unknown, operations: unknown): JsonValue => applyPatch(document, operations),
  merge: (_call: CallContext, document: unknown, patch: unknown): JsonValue => mergeJson(document, patch),
  canonical: (_call: CallContext, value: unknown): string => canonicalJson(copyJson(value, 'The value')),
  equal: (_call: CallContext, left: unknown, right: unknown): boolean =>
    equalJson(copyJson(left, 'The first value'), copyJson(right, 'The second value')),
};
