import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { readSidecarEnvironment } from './sidecar-environment.ts';

const app = {
  FUNCTIONS_WORKER_RUNTIME: 'node',
  RUNTIME_ENDPOINT: 'http://runtime:50051',
  APPLICATION_ID: 'shop',
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
  SQLCONNSTR_ORDERS: 'server=x',
  WORKER_AUTH_TOKEN: 'a.b.c',
};

describe('readSidecarEnvironment', () => {
  it('reads a pod that is for one app: every other variable is a setting of it', () => {
    const read = readSidecarEnvironment({ ...app, PATH: '/bin', LEFT_OUT: undefined });
    expect(read).toMatchObject({
      runtime: 'node',
      languageVersion: '',
      workerPort: 50_051,
      runtimeEndpoint: 'http://runtime:50051',
      application: {
        runtimeEndpoint: 'http://runtime:50051',
        application: { applicationId: 'shop', metadataVersion: '1.0.0', codeVersion: '1.0.0' },
        tenantId: 'default',
        content: { kind: 'folder', scriptRoot: '/home/site/wwwroot' },
      },
    });
    expect(Object.fromEntries(read.application?.environment ?? [])).toEqual({
      APPLICATION_ID: 'shop',
      AzureWebJobsStorage: 'UseDevelopmentStorage=true',
      FUNCTIONS_WORKER_RUNTIME: 'node',
      PATH: '/bin',
      SQLCONNSTR_ORDERS: 'server=x',
    });
    expect(read.application?.token?.reveal()).toBe('a.b.c');
    expect(inspect(read, { depth: 6 })).not.toContain('a.b.c');
  });

  it('takes what is named instead of what would be assumed', () => {
    const read = readSidecarEnvironment({
      ...app,
      FUNCTIONS_WORKER_RUNTIME_VERSION: '22',
      METADATA_VERSION: 'm2',
      CODE_VERSION: 'c2',
      TENANT_ID: 'contoso',
      AzureWebJobsScriptRoot: '/srv/app',
      SIDECAR_PORT: '50100',
      WORKER_ID: 'w7',
      INSTANCE_ID: 'pod-1',
    });
    expect(read).toMatchObject({
      languageVersion: '22',
      workerPort: 50_100,
      workerId: 'w7',
      instanceId: 'pod-1',
      application: {
        application: { metadataVersion: 'm2', codeVersion: 'c2' },
        tenantId: 'contoso',
        content: { scriptRoot: '/srv/app' },
      },
    });
  });

  it('reads placeholders: bound late without a Runtime, attached with one', () => {
    const late = readSidecarEnvironment({ FUNCTIONS_WORKER_RUNTIME: 'python' });
    expect(late).toMatchObject({ runtimeEndpoint: undefined, application: undefined, token: undefined });
    const attached = readSidecarEnvironment({ ...app, IS_PLACEHOLDER: 'true' });
    expect(attached).toMatchObject({ runtimeEndpoint: 'http://runtime:50051', application: undefined });
    expect(readSidecarEnvironment({ ...app, APPLICATION_ID: ' ' }).application).toBeUndefined();
  });

  it.each([
    ['FUNCTIONS_WORKER_RUNTIME', { FUNCTIONS_WORKER_RUNTIME: undefined }],
    ['RUNTIME_ENDPOINT', { RUNTIME_ENDPOINT: '' }],
  ])('names %s when it is missing', (name, change) => {
    expect(() => readSidecarEnvironment({ ...app, ...change })).toThrow(name);
  });

  it.each([
    ['APPLICATION_ID', 'No Label'],
    ['RUNTIME_ENDPOINT', 'runtime:50051'],
    ['SIDECAR_PORT', '65536'],
    ['SIDECAR_PORT', '-1'],
    ['SIDECAR_PORT', 'many'],
    ['IS_PLACEHOLDER', 'perhaps'],
  ])('refuses %s = %s by name and value', (name, value) => {
    expect(() => readSidecarEnvironment({ ...app, [name]: value })).toThrow(
      expect.objectContaining({
        code: 'SIDECAR_VARIABLE_INVALID',
        message: expect.stringContaining(`'${value}'`),
      }),
    );
  });

  it('reads own variables alone, and keeps odd names harmless', () => {
    const odd = JSON.parse('{"__proto__":"x","constructor":"y"}') as Record<string, string>;
    const { application } = readSidecarEnvironment({ ...app, ...odd });
    expect(application?.environment.get('constructor')).toBe('y');
    expect(() => readSidecarEnvironment(Object.create(app) as typeof app)).toThrow('FUNCTIONS_WORKER_RUNTIME');
  });
});
