import { expect, it } from 'vitest';
import { isFinalJobState, jobStateEdges, jobStates } from './job-record.ts';
import { toOpenApi } from './open-api.ts';

const document = toOpenApi('1.2.3');

/** Every `$ref` in a document. */
function referencesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (key === '$ref' ? [String(inner)] : referencesIn(inner)));
}

it('names every endpoint of version 1 with its statuses', () => {
  const statuses = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, { responses: object }>).map(
      ([method, { responses }]) => `${method} ${path} ${Object.keys(responses).join(' ')}`,
    ),
  );
  expect(statuses).toEqual(
    expect.arrayContaining([
      'get /info 200 401',
      'get /health 200 401',
      'post /jobs 202 400 401 409',
      'get /jobs/{job_id} 200 401 404',
      'delete /jobs/{job_id} 200 202 401 404',
    ]),
  );
});

it('refers only to schemas that it holds', () => {
  const schemas = Object.keys(document.components.schemas as object).map((name) => `#/components/schemas/${name}`);
  const references = referencesIn(document);
  expect(references.length).toBeGreaterThan(10);
  expect(references.filter((reference) => !schemas.includes(reference))).toEqual([]);
});

it('is the same for a reader of its JSON', () => {
  expect(JSON.parse(JSON.stringify(document))).toEqual(document);
});

it('lets every state but the final ones go on', () => {
  expect(jobStates.filter(isFinalJobState)).toEqual(['finished', 'failed']);
  expect(jobStateEdges.running).not.toContain('queued');
});
