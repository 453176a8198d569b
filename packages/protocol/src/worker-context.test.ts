import { Secret } from '@switchyard/kernel';
import { describe, expect, it } from 'vitest';
import { WorkerConnect, WorkerSpecialized } from './gen/function-rpc.ts';
import {
  isPlaceholderId,
  readBearerToken,
  readSpecializedClaims,
  readStartStreamClaims,
  readWorkerClaims,
  toBearerMetadata,
  toContextProperties,
} from './worker-context.ts';

const context = {
  workerId: 'w1',
  language: 'node',
  languageVersion: '24',
  instanceId: 'machine-1',
  application: { applicationId: 'shop', metadataVersion: 'm1', codeVersion: 'c1' },
  tenantId: 'contoso',
  epoch: 3,
} as const;

function connect(fields: Partial<WorkerConnect>, properties: ReadonlyMap<string, string>): WorkerConnect {
  const metadata = { runtimeName: '', runtimeVersion: '', workerVersion: '', workerBitness: '' };
  return {
    ...WorkerConnect.decode(new Uint8Array()),
    ...fields,
    workerMetadata: { ...metadata, customProperties: new Map(properties) },
  };
}

describe('WorkerContext', () => {
  it('comes back as claims, from the properties alone', () => {
    expect(readWorkerClaims(connect({ workerId: 'w1' }, toContextProperties(context)))).toEqual({
      workerId: 'w1',
      application: context.application,
      tenantId: 'contoso',
      isPlaceholder: false,
      language: 'node',
      languageVersion: '24',
      epoch: 3,
    });
  });

  it('lets the fields of the message win', () => {
    const claims = readWorkerClaims(
      connect({ applicationId: 'other', language: 'java' }, toContextProperties(context)),
    );
    expect(claims).toMatchObject({ application: { applicationId: 'other', codeVersion: 'c1' }, language: 'java' });
  });

  it('names a placeholder after its language', () => {
    const properties = toContextProperties({ ...context, application: undefined });
    expect(Object.fromEntries(properties)).toMatchObject({
      ApplicationId: '_Placeholder_node',
      MetadataVersion: '1.0.0',
      CodeVersion: '1.0.0',
      IsPlaceholder: 'true',
    });
    expect(readWorkerClaims(connect({}, properties)).isPlaceholder).toBe(true);
  });

  it.each(['', '-1', '1.5', 'NaN', '9'.repeat(40)])('takes %j for no epoch', (epoch) => {
    expect(readWorkerClaims(connect({}, new Map([['Epoch', epoch]]))).epoch).toBe(0);
  });

  it('reads a message without any properties', () => {
    expect(readWorkerClaims(WorkerConnect.decode(new Uint8Array()))).toMatchObject({ workerId: '', epoch: 0 });
  });
});

describe('the claims of a StartStream', () => {
  const properties = toContextProperties(context);

  it('are its properties, and the id of the message', () => {
    expect(readStartStreamClaims({ workerId: 'w1', properties })).toEqual({
      workerId: 'w1',
      application: context.application,
      tenantId: 'contoso',
      isPlaceholder: false,
      language: 'node',
      languageVersion: '24',
      epoch: 3,
    });
  });

  it('are empty where nothing is claimed', () => {
    expect(readStartStreamClaims({ workerId: 'w1', properties: new Map() })).toMatchObject({
      application: { applicationId: '', metadataVersion: '', codeVersion: '' },
      isPlaceholder: false,
      epoch: 0,
    });
  });

  it('become those of an app with its WorkerSpecialized', () => {
    const opened = readStartStreamClaims({
      workerId: 'w1',
      properties: toContextProperties({ ...context, application: undefined }),
    });
    expect([opened.isPlaceholder, isPlaceholderId(opened.application.applicationId)]).toEqual([true, true]);
    const message = {
      ...WorkerSpecialized.decode(new Uint8Array()),
      ...context.application,
      workerId: 'w1',
      languageVersion: '22',
    };
    expect(readSpecializedClaims(message, opened)).toEqual({
      ...opened,
      application: context.application,
      isPlaceholder: false,
      languageVersion: '22',
    });
  });
});

describe('the bearer token', () => {
  it('goes into the metadata and comes out of it', () => {
    expect(readBearerToken(toBearerMetadata(new Secret('a.b.c')))).toBe('a.b.c');
    expect(toBearerMetadata(undefined).size).toBe(0);
  });

  it.each(['', 'Bearer', 'Bearer   ', 'Basic abc', 'a.b.c'])('is missing in %j', (value) => {
    expect(readBearerToken(new Map([['authorization', value]]))).toBeUndefined();
  });

  it('is found whatever the case of its scheme', () => {
    expect(readBearerToken(new Map([['authorization', 'bearer a.b.c ']]))).toBe('a.b.c');
  });
});
