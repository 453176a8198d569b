import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readCatalogues, toPage } from './error-docs.ts';

const page = join(dirname(dirname(fileURLToPath(import.meta.url))), 'docs', 'errors.md');

test('docs/errors.md lists every error of every catalogue (node tools/error-docs.ts writes it)', async () => {
  const catalogues = await readCatalogues();
  expect(catalogues.length).toBeGreaterThan(0);
  expect(existsSync(page) ? readFileSync(page, 'utf8') : '').toBe(toPage(catalogues));
});

test('an entry shows the message, the blame and every status', () => {
  const definition = {
    blame: 'user',
    retry: { afterMs: 5 },
    http: 400,
    grpc: 3,
    exit: 2,
    message: 'No {x}. Do y.',
  } as const;
  const text = toPage([{ packageName: 'model', definitions: { NO_X: definition } }]);
  expect(text).toContain('## model\n\n### NO_X\n\n> No {x}. Do y.\n\n');
  expect(text).toContain('blame: user · retry: after 5 ms · HTTP 400 · gRPC 3 · exit code 2');
});
