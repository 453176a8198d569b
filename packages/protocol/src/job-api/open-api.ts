/** The OpenAPI document of the job API, made from the schemas that the agent itself checks with. */
import { z } from 'zod';
import { agentHealthSchema, agentInfoSchema } from './agent-status.ts';
import {
  acceptedSchema,
  cancellationSchema,
  jobListSchema,
  jobNotFoundSchema,
  jobRecordSchema,
  refusalSchema,
  rejectedSchema,
} from './job-record.ts';
import { jobRequestSchema } from './job-request.ts';

/** A document of OpenAPI 3.1, ready to be written as JSON. */
export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, unknown>>;
  readonly components: Readonly<Record<string, unknown>>;
}

/** Schemas by the names under which the document refers to them. */
const answers = {
  AgentInfo: agentInfoSchema,
  AgentHealth: agentHealthSchema,
  JobAccepted: acceptedSchema,
  JobRejected: rejectedSchema,
  JobRecord: jobRecordSchema,
  JobNotFound: jobNotFoundSchema,
  JobList: jobListSchema,
  Cancellation: cancellationSchema,
  Refusal: refusalSchema,
} as const;

type AnswerName = keyof typeof answers;

/** Makes the document for an agent of a version. */
export function toOpenApi(version: string): OpenApiDocument {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Switchyard node agent',
      version,
      description: 'Job API, version 1: container jobs on one machine. Paths marked as additions are not part of it.',
    },
    paths: paths(),
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: { ...schemasOf('input', { JobRequest: jobRequestSchema }), ...schemasOf('output', answers) },
    },
  };
}

function schemasOf(io: 'input' | 'output', schemas: Readonly<Record<string, z.ZodType>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, schemaOf(io, schema)]));
}

/** Without what says nothing to a reader: the bounds of safe integers, and that answers have no other fields (yet). */
function schemaOf(io: 'input' | 'output', schema: z.ZodType): Record<string, unknown> {
  const { $schema, ...made } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override({ jsonSchema }) {
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
    },
  });
  return made;
}

function paths(): Record<string, unknown> {
  const id = { name: 'job_id', in: 'path', required: true, schema: { type: 'string' } };
  const wait = query('wait_seconds', 'Addition: answers when the job has ended, or after this time.', 'integer');
  return {
    '/info': { get: operation('What the machine is', { 200: 'AgentInfo' }) },
    '/health': { get: operation('How the machine is', { 200: 'AgentHealth' }) },
    '/jobs': {
      post: {
        ...operation('Submit a job', { 202: 'JobAccepted', 400: 'JobRejected', 409: 'JobRejected' }),
        requestBody: { required: true, content: json('JobRequest') },
      },
      get: {
        ...operation('Addition: list jobs, newest first', { 200: 'JobList', 400: 'Refusal' }),
        parameters: [
          query('state', 'One or more states, with commas between.', 'string'),
          query('label', 'name=value; may be given more than once.', 'string'),
          query('lifecycle', 'job or pod.', 'string'),
          query('limit', 'At most this many, 1 to 1000; 100 when left out.', 'integer'),
          query('cursor', 'next_cursor of the page before.', 'string'),
        ],
      },
    },
    '/jobs/{job_id}': {
      get: { ...operation('Look a job up', { 200: 'JobRecord', 404: 'JobNotFound' }), parameters: [id, wait] },
      delete: {
        ...operation('Cancel a job', { 200: 'Cancellation', 202: 'Cancellation', 404: 'JobNotFound' }),
        parameters: [id],
      },
    },
    '/jobs/{job_id}/logs': {
      get: {
        ...operation('Addition: what the job prints, as server-sent events', { 404: 'JobNotFound' }),
        parameters: [id, query('follow', 'false ends after what has been printed so far.', 'boolean')],
      },
    },
    '/metrics': { get: operation('Addition: measurements in the Prometheus text format', {}) },
    '/openapi.json': { get: operation('Addition: this document', {}) },
  };
}

function operation(summary: string, statuses: Readonly<Record<number, AnswerName>>): Record<string, unknown> {
  const responses = Object.fromEntries(
    Object.entries(statuses).map(([status, name]) => [status, { description: name, content: json(name) }]),
  );
  const refused = { description: 'A token is wanted', content: json('Refusal') };
  const answered = Object.keys(responses).length === 0 ? { 200: { description: 'The text' } } : responses;
  return { summary, responses: { ...answered, 401: refused }, security: [{}, { token: [] }] };
}

function query(name: string, description: string, type: string): Record<string, unknown> {
  return { name, in: 'query', required: false, description, schema: { type } };
}

function json(name: string): Record<string, unknown> {
  return { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } };
}
