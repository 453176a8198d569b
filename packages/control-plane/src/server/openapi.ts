/** The OpenAPI 3.1 document of the control API, made from the table of operations and its schemas. */
import {
  type ControlAnswer,
  type ControlOperation,
  controlOperations,
  eventStreamType,
  packageType,
  pathParameters,
  problemSchema,
  problemType,
} from '@switchyard/protocol/control-api';
import { z } from 'zod';

type Json = Record<string, unknown>;

/** Where the schemas with a name stand in the document. */
const schemaPrefix = '#/components/schemas/';

/** Makes the document anew at each call. */
export function createOpenApiDocument(): Json {
  const schemas = new NamedSchemas();
  const paths: Record<string, Json> = {};
  for (const [id, operation] of Object.entries<ControlOperation>(controlOperations)) {
    paths[operation.path] = {
      ...paths[operation.path],
      [operation.method.toLowerCase()]: toOperation(schemas, id, operation),
    };
  }
  const problem = {
    description: 'What went wrong.',
    content: { [problemType]: { schema: schemas.add(problemSchema) } },
  };
  return {
    openapi: '3.1.0',
    info: { title: 'Switchyard control API', version: '1', license: { name: 'MIT', identifier: 'MIT' } },
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    paths,
    components: {
      schemas: schemas.all,
      responses: { Problem: problem },
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  };
}

function toOperation(schemas: NamedSchemas, id: string, operation: ControlOperation): Json {
  const { summary, scope, path, query, body, answer } = operation;
  const parameters = [...pathParametersOf(schemas, path), ...queryParametersOf(schemas, query)];
  return {
    operationId: id,
    summary,
    ...(scope === 'none' ? { security: [] } : { description: `Needs a token with the scope \`${scope}\`.` }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: body === 'package', content: toContent(schemas, body) } }),
    responses: {
      [String(answer.status)]: toResponse(schemas, answer),
      default: { $ref: '#/components/responses/Problem' },
    },
  };
}

function pathParametersOf(schemas: NamedSchemas, path: string): readonly Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: schemas.add(pathParameters[name] ?? z.string()),
  }));
}

function queryParametersOf(schemas: NamedSchemas, query: z.ZodObject | undefined): readonly Json[] {
  return Object.entries(query?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: false,
    // A parameter without a value is one that is on.
    allowEmptyValue: true,
    schema: schemas.add(schema as z.ZodType),
  }));
}

function toResponse(schemas: NamedSchemas, { body, events }: ControlAnswer): Json {
  const content = {
    ...(body === undefined ? {} : toContent(schemas, body)),
    ...(events === undefined ? {} : { [eventStreamType]: { schema: toEventSchema(schemas, events) } }),
  };
  return { description: 'Done.', ...(Object.keys(content).length === 0 ? {} : { content }) };
}

function toContent(schemas: NamedSchemas, body: z.ZodType | 'package'): Json {
  if (body !== 'package') return { 'application/json': { schema: schemas.add(body) } };
  return { [packageType]: { schema: { type: 'string', contentMediaType: packageType } } };
}

/** OpenAPI has no words for events: the text of the stream, with the data of each event named in the extension. */
function toEventSchema(schemas: NamedSchemas, events: Readonly<Record<string, z.ZodType>>): Json {
  const data = Object.entries(events).map(([name, schema]) => [name, schemas.add(schema)] as const);
  return { type: 'string', 'x-events': Object.fromEntries(data) };
}

/** Schemas of JSON; those with a name are written once and referred to. */
class NamedSchemas {
  readonly all: Record<string, unknown> = {};

  add(schema: z.ZodType): unknown {
    const { $schema: _, $defs = {}, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input' });
    for (const [name, definition] of Object.entries($defs)) this.all[name] = withoutIds(toReferences(definition));
    return toReferences(rest);
  }
}

/** References within the schema become references within the document. */
function toReferences(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toReferences);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      key === '$ref' && typeof item === 'string' ? item.replace('#/$defs/', schemaPrefix) : toReferences(item),
    ]),
  );
}

/** A schema's name is its key; as an `id` it would be a keyword of an older dialect. */
function withoutIds(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('id' in value) || typeof value.id !== 'string') return value;
  const { id: _, ...rest } = value;
  return rest;
}
