import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseManifest } from './parse-manifest.ts';

const folder = fileURLToPath(new URL('../../../../../examples/', import.meta.url));

describe('the manifests of the examples', () => {
  it.each(['switchyard.yaml', 'switchyard-git.yaml'])('%s is understood', (name) => {
    expect(parseManifest(readFileSync(`${folder}${name}`, 'utf8'))).toMatchObject({ kind: 'manifest' });
  });
});
