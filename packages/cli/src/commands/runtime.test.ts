import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { runSwitchyard } from '../run-switchyard.ts';
import { runInMemory } from '../testing/run-in-memory.ts';
import { runtimeCommand } from './runtime.ts';
import { sidecarCommand } from './sidecar.ts';

const run = (words: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  runInMemory((given, context) => runSwitchyard(given, [runtimeCommand, sidecarCommand], context), words, {
    workingDirectory: tmpdir(),
    environment,
  });

describe('switchyard runtime', () => {
  it.each([
    [[], 'Nothing says whose tokens count'],
    [['--keys', 'no-such-file.json'], 'no-such-file.json'],
    [['--keys', 'http://control.example/jwks.json'], 'https'],
    [['--no-tokens', '--tls-certificate', 'a.crt'], '--tls-key'],
    [['--no-tokens', '--rpc-host', '0.0.0.0'], "in clear to '0.0.0.0'"],
    [['--no-tokens', '--host-name', 'shop'], "not 'shop'"],
    [['--no-tokens', '--client-certificate', 'maybe'], "There is no rule 'maybe'"],
  ])('explains what is wrong with %j', async (words, message) => {
    const { exitCode, err } = await run(
      ['runtime', '--port', '0', '--rpc-port', '0', '--control-port', '0', ...words],
      {
        HOME: tmpdir(),
      },
    );
    expect(exitCode).toBeGreaterThan(1);
    expect(err).toContain(message);
  });
});

describe('switchyard sidecar', () => {
  it.each([
    [{}, 'FUNCTIONS_WORKER_RUNTIME'],
    [{ FUNCTIONS_WORKER_RUNTIME: 'node', APPLICATION_ID: 'Shop!' }, "'Shop!'"],
    [{ FUNCTIONS_WORKER_RUNTIME: 'node', APPLICATION_ID: 'shop' }, 'RUNTIME_ENDPOINT'],
    [{ FUNCTIONS_WORKER_RUNTIME: 'node', WORKER_AUTH_TOKEN: 'jwt' }, 'WORKER_ID'],
    [{ FUNCTIONS_WORKER_RUNTIME: 'cobol', SIDECAR_PORT: '0' }, 'cobol'],
  ])('explains what is wrong with %j', async (environment, message) => {
    const { exitCode, err } = await run(['sidecar'], environment);
    expect(exitCode).toBeGreaterThan(0);
    expect(err).toContain(message);
    expect(err).not.toContain('jwt');
  });
});
