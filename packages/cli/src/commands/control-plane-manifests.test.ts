import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { parseArguments } from '../parse-arguments.ts';
import { controlPlaneCommand } from './control-plane.ts';

const folder = fileURLToPath(new URL('../../../../deploy/control-plane/', import.meta.url));

/** The arguments of every container in a manifest. */
function argumentsIn(value: unknown): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [];
  const { args } = value as { readonly args?: unknown };
  return [...(Array.isArray(args) ? [args.map(String)] : []), ...Object.values(value).flatMap(argumentsIn)];
}

describe('the manifests that run the control plane', () => {
  it.each(['kubernetes.yaml', 'container-app.yaml'])('%s gives arguments that the command takes', (name) => {
    const documents = parseAllDocuments(readFileSync(`${folder}${name}`, 'utf8'));
    const found = documents.flatMap((document) => ('toJS' in document ? argumentsIn(document.toJS()) : []));
    expect(found).toHaveLength(1);
    const [command, ...words] = found[0] ?? [];
    expect(command).toBe('control-plane');
    const parsed = parseArguments(controlPlaneCommand, words);
    expect(parsed).toMatchObject({ kind: 'parsed', positionals: [] });
    if (parsed.kind !== 'parsed') return;
    expect(parsed.given.get('workers')).toEqual(['drift,health,inventory']);
    expect(parsed.given.get('vault-key')).toBe('/run/secrets/switchyard/vault.key');
    expect(JSON.stringify(documents)).toContain('vault.key');
    expect(parsed.given.get('nats-server')).toEqual(['nats://nats:4222']);
  });
});
