import {
  applicationIdSchema,
  type ControlOperation,
  controlOperations,
  patchSettingsSchema,
  setTrafficSchema,
} from '@switchyard/protocol/control-api';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createOpenApiDocument } from './openapi.ts';

interface OperationObject {
  readonly operationId: string;
  readonly summary: string;
  readonly security?: readonly unknown[];
  readonly parameters?: readonly { name: string; in: string; required: boolean; schema: unknown }[];
  readonly requestBody?: { required: boolean; content: Record<string, { schema: unknown }> };
  readonly responses: Record<
    string,
    { $ref?: string; description?: string; content?: Record<string, { schema: unknown }> }
  >;
}

interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, OperationObject>>;
  readonly components: { readonly schemas: Record<string, unknown> };
}

const document = createOpenApiDocument() as unknown as Document;
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
);

/** Every `$ref` below a value. */
function referencesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => (key === '$ref' ? [String(item)] : referencesIn(item)));
}

function resolve(reference: string): unknown {
  const keys = reference.slice(2).split('/');
  return keys.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], document);
}

/** A validator made from a schema of the document, its references included. */
function validatorOf(schema: unknown): z.ZodType {
  const text = JSON.stringify({ ...(schema as object), $defs: document.components.schemas });
  return z.fromJSONSchema(JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')));
}

describe('the OpenAPI document', () => {
  it('has every operation of the table once, and no other', () => {
    const expected = Object.entries<ControlOperation>(controlOperations).map(([id, { method, path }]) => [
      id,
      method,
      path,
    ]);
    const found = operations.map(({ path, method, operation }) => [operation.operationId, method, path]);
    expect(found.sort()).toEqual(expected.sort());
    expect(document.openapi).toBe('3.1.0');
  });

  it('declares exactly the parameters of each path and query', () => {
    for (const { path, operation } of operations) {
      const table: ControlOperation = controlOperations[operation.operationId as keyof typeof controlOperations];
      const names = (where: string): string[] =>
        (operation.parameters ?? []).filter((parameter) => parameter.in === where).map(({ name }) => name);
      expect(names('path')).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
      expect(names('query')).toEqual(Object.keys(table.query?.shape ?? {}));
      const isRequired = (operation.parameters ?? []).every(
        (parameter) => parameter.required === (parameter.in === 'path'),
      );
      expect([operation.operationId, isRequired]).toEqual([operation.operationId, true]);
    }
  });

  it('describes each answer, and problems for the rest', () => {
    for (const { operation } of operations) {
      const { answer, body, scope }: ControlOperation =
        controlOperations[operation.operationId as keyof typeof controlOperations];
      expect(Object.keys(operation.responses)).toEqual([String(answer.status), 'default']);
      const types = Object.keys(operation.responses[String(answer.status)]?.content ?? {});
      expect(types.includes('text/event-stream')).toBe(answer.events !== undefined);
      expect(types.some((type) => type !== 'text/event-stream')).toBe(answer.body !== undefined);
      expect(operation.requestBody === undefined).toBe(body === undefined);
      expect(operation.security).toEqual(scope === 'none' ? [] : undefined);
      expect(operation.summary).toMatch(/^[A-Z].*\.$/);
    }
  });

  it('refers only to what is there, and uses all of it', () => {
    const references = new Set(referencesIn(document));
    for (const reference of references) expect([reference, resolve(reference)]).not.toEqual([reference, undefined]);
    const used = [...references].filter((one) => one.startsWith('#/components/schemas/')).map((one) => one.slice(21));
    expect(Object.keys(document.components.schemas).sort()).toEqual(used.sort());
    expect(used).toContain('Problem');
  });

  it('its schemas judge as ours do', () => {
    const body = (path: string, method: string): z.ZodType =>
      validatorOf(document.paths[path]?.[method]?.requestBody?.content['application/json']?.schema);
    const samples: readonly [z.ZodType, z.ZodType, readonly unknown[]][] = [
      [
        body('/v1/apps/{app}/settings', 'patch'),
        patchSettingsSchema,
        [
          {},
          { set: { A: '1' } },
          { set: { '1': '1' } },
          { set: { A: 1 } },
          { remove: ['A'] },
          { remove: 'A' },
          { other: 1 },
          1,
        ],
      ],
      [
        body('/v1/apps/{app}/traffic', 'post'),
        setTrafficSchema,
        [
          {},
          { weights: [] },
          { weights: [{ codeVersion: 'a'.repeat(16), weight: 100 }] },
          { weights: [{ codeVersion: 'x', weight: 100 }] },
        ],
      ],
      [
        validatorOf(document.paths['/v1/apps/{app}']?.get?.parameters?.[0]?.schema),
        applicationIdSchema,
        ['a', 'A', '-a', 'a-', 'a-b', 'a'.repeat(40), 'a'.repeat(41), ''],
      ],
    ];
    for (const [theirs, ours, values] of samples) {
      for (const value of values) {
        expect([value, theirs.safeParse(value).success]).toEqual([value, ours.safeParse(value).success]);
      }
    }
  });

  it('is plain JSON, and the same each time', () => {
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);
    expect(createOpenApiDocument()).toEqual(document);
  });
});
