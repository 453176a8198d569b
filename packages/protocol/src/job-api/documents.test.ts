/** docs/protocols says what the schemas say, so that it cannot fall behind them. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { agentHealthSchema, agentInfoSchema } from './agent-status.ts';
import { jobErrorCodes } from './job-error.ts';
import { jobLogSchemas } from './job-logs.ts';
import { effectiveLimitsSchema, jobRecordSchema, jobStates } from './job-record.ts';
import { jobBuildSchema, jobLimitsSchema, jobRequestSchema, jobRuntimeSchema } from './job-request.ts';
import { toOpenApi } from './open-api.ts';

const page = (name: string): string =>
  readFileSync(new URL(`../../../../docs/protocols/${name}.md`, import.meta.url), 'utf8');
const protocol = page('JOB_PROTOCOL');
const api = page('WORKER_HTTP_API');

/** Words in code quotes, also those within `{a, b}` and `a.b`. */
function quoted(text: string): ReadonlySet<string> {
  const words = [...text.matchAll(/`([^`\n]+)`/g)].flatMap(([, code = '']) => code.split(/[^\w]+/));
  return new Set(words);
}

const names = (schema: z.ZodObject): string[] => Object.keys(schema.shape);

describe('docs/protocols', () => {
  it('explains every error code, and no other one', () => {
    const section = protocol.slice(protocol.indexOf('## Error codes'), protocol.indexOf('## Testing'));
    const codes = [...section.matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code);
    expect([...new Set(codes)].sort()).toEqual([...jobErrorCodes].sort());
  });

  it('names every field of a job and of its record', () => {
    const known = quoted(protocol);
    for (const schema of [
      jobRequestSchema,
      jobRuntimeSchema,
      jobLimitsSchema,
      jobBuildSchema,
      jobRecordSchema,
      effectiveLimitsSchema,
    ])
      for (const name of names(schema)) expect(known).toContain(name);
    for (const state of jobStates) expect(known).toContain(state);
  });

  it('names every path, every field of the status, and every event of a log', () => {
    const known = quoted(api);
    for (const schema of [agentInfoSchema, agentHealthSchema])
      for (const name of names(schema)) expect(known).toContain(name);
    for (const name of Object.keys(jobLogSchemas)) expect(known).toContain(name);
    for (const [path, methods] of Object.entries(toOpenApi('1').paths))
      for (const method of Object.keys(methods as object)) expect(api).toContain(`\`${method.toUpperCase()} ${path}\``);
  });

  it('shows a job that an agent takes', () => {
    const [, text = ''] = /```json\n([\s\S]*?)```/.exec(protocol) ?? [];
    expect(jobRequestSchema.parse(JSON.parse(text)).job_id).toBe('render-17');
  });
});
