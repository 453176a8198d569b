import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { readManifest } from './read-manifest.ts';

const { signal } = new AbortController();

async function read(text: string) {
  const stdin = async function* () {
    yield text;
  };
  return readManifest('-', { workingDirectory: tmpdir(), stdin: stdin() }, signal);
}

describe('readManifest', () => {
  it('reads YAML and JSON from stdin', async () => {
    const manifest = { apiVersion: 'switchyard.dev/v1', tenant: 'acme' };
    expect(await read('apiVersion: switchyard.dev/v1\ntenant: acme\n')).toMatchObject(manifest);
    expect(await read(JSON.stringify(manifest))).toMatchObject(manifest);
  });

  it.each([
    ['', "The manifest 'stdin' is not understood: it is empty."],
    ['# nothing yet', "The manifest 'stdin' is not understood: it is empty."],
    ['text', "'stdin' is not understood: at the top: "],
    ['apiVersion: switchyard.dev/v1\ntenant: 5', "at 'tenant': "],
    ['a: [', "'stdin' is not understood: "],
  ])('says where it comes from and what is wrong with %j', async (text, message) => {
    await expect(read(text)).rejects.toThrow(message);
  });
});
