import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestFolder, type TestFolder } from '../testing/app-folders.ts';
import { runDoctor } from './run-doctor.ts';
import { supportedKinds } from './supported-kinds.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(() => folder.remove());

const node = { FUNCTIONS_WORKER_RUNTIME: 'node' };

/** Examines an app of these files; returns severity, code and subject of each finding. */
async function examine(files: Record<string, unknown>, values: Record<string, string> = node, reaches = true) {
  const given = { 'host.json': { version: '2.0' }, 'local.settings.json': { Values: values }, ...files };
  const directory = await folder.write('app', given);
  const deps = { environment: {}, supported: supportedKinds(), isListening: async () => reaches };
  const findings = await runDoctor(directory, deps);
  return findings.map(({ severity, code, subject }) => [severity, code, subject].join(' '));
}

const functionJson = (...bindings: object[]) => ({ bindings });
const http = { type: 'httpTrigger', name: 'req', direction: 'in' };

describe('runDoctor', () => {
  it('has nothing to say of an app that works', async () => {
    const values = { ...node, AzureWebJobsStorage: 'UseDevelopmentStorage=true' };
    const source = `app.http('a', {}); app.storageQueue('b', { queueName: 'q', connection: 'AzureWebJobsStorage' });`;
    expect(await examine({ 'src/a.js': source }, values)).toEqual([]);
  });

  it.each<[what: string, files: Record<string, unknown>, values: Record<string, string>, expected: string]>([
    ['in-process .NET', {}, { FUNCTIONS_WORKER_RUNTIME: 'dotnet' }, 'error dotnet-in-process FUNCTIONS_WORKER_RUNTIME'],
    [
      'an in-process project',
      { 'app.csproj': '<PackageReference Include="Microsoft.NET.Sdk.Functions" />' },
      { FUNCTIONS_WORKER_RUNTIME: 'dotnet' },
      'error dotnet-in-process app.csproj',
    ],
    [
      'a change of the configuration',
      { 'Startup.cs': 'class Startup : IWebJobsConfigurationStartup {}' },
      { FUNCTIONS_WORKER_RUNTIME: 'dotnet-isolated' },
      'warning configuration-startup Startup.cs',
    ],
    [
      'a start-up class',
      { 'Startup.cs': 'class Startup : FunctionsStartup {}' },
      { FUNCTIONS_WORKER_RUNTIME: 'dotnet-isolated' },
      'warning host-startup Startup.cs',
    ],
    [
      'a count of processes',
      {},
      { ...node, FUNCTIONS_WORKER_PROCESS_COUNT: '4' },
      'warning worker-process-count FUNCTIONS_WORKER_PROCESS_COUNT',
    ],
    [
      'arguments of the worker',
      {},
      { ...node, languageWorkers__node__arguments: '--max-old-space-size=100' },
      'warning worker-arguments languageWorkers',
    ],
    ['proxies', { 'proxies.json': {} }, node, 'error proxies proxies.json'],
    ['a key nobody reads', { 'host.json': { version: '2.0', nobody: 1 } }, node, 'warning host-json host.json'],
    ['a broken file', { 'host.json': '{' }, node, 'error file-invalid host.json'],
    [
      'encrypted settings',
      { 'local.settings.json': { IsEncrypted: true, Values: {} }, 'package.json': {} },
      node,
      'error file-invalid local.settings.json',
    ],
    [
      'a bundle',
      { 'host.json': { version: '2.0', extensionBundle: { id: 'x', version: '[4.*, 5.0.0)' } } },
      node,
      'note extension-bundle host.json',
    ],
    [
      'a trigger that is not there',
      { 'Made/function.json': functionJson({ type: 'cosmosDBTrigger', name: 'x', direction: 'in' }) },
      node,
      'error binding-unsupported Made',
    ],
    [
      'an output that is not there',
      { 'src/a.js': `output.sql({ commandText: 'dbo.T' })` },
      node,
      'error binding-unsupported src/a.js',
    ],
    [
      'Durable Functions',
      { 'Made/function.json': functionJson({ type: 'orchestrationTrigger', name: 'x', direction: 'in' }) },
      node,
      'error durable-functions Made',
    ],
    [
      'a broker that is named in vain',
      { 'src/a.js': `app.generic('a', { trigger: { type: 'rabbitMQTrigger', connectionStringSetting: 'Broker' } })` },
      node,
      'error setting-missing src/a.js',
    ],
    [
      'a setting that is named in vain',
      { 'Made/function.json': functionJson({ ...http, route: '%PLACE%/x' }) },
      node,
      'error setting-missing Made',
    ],
    [
      'a connection that is named in vain',
      { 'Made/function.json': functionJson(http, { type: 'queue', direction: 'out', name: 'q', connection: 'Shop' }) },
      node,
      'error setting-missing Made',
    ],
    [
      'a switch in function.json',
      { 'Made/function.json': { ...functionJson(http), disabled: true } },
      node,
      'warning disabled-in-file Made/function.json',
    ],
    [
      'storage that is not set',
      { 'Made/function.json': functionJson({ type: 'queueTrigger', name: 'x', direction: 'in', queueName: 'q' }) },
      node,
      'error storage-missing AzureWebJobsStorage',
    ],
    [
      'Application Insights',
      {},
      { ...node, APPLICATIONINSIGHTS_CONNECTION_STRING: 'InstrumentationKey=x' },
      'note application-insights APPLICATIONINSIGHTS_CONNECTION_STRING',
    ],
  ])('tells of %s', async (_what, files, values, expected) => {
    expect(await examine(files, values)).toContain(expected);
  });

  it('tells of storage that does not answer, and quotes no key of it', async () => {
    const values = { ...node, AzureWebJobsStorage: 'AccountName=shop;AccountKey=c2VjcmV0' };
    expect(await examine({}, values, true)).toEqual([]);
    expect(await examine({}, values, false)).toEqual(['error storage-unreachable AzureWebJobsStorage']);
    const deps = { environment: {}, supported: supportedKinds(), isListening: async () => false };
    expect(JSON.stringify(await runDoctor(`${folder.path}/app`, deps))).not.toContain('c2VjcmV0');
  });

  it('puts errors first', async () => {
    const files = { 'proxies.json': {}, 'host.json': { version: '2.0', nobody: 1, extensionBundle: {} } };
    const severities = (await examine(files)).map((finding) => finding.split(' ')[0]);
    expect(severities).toEqual(['error', 'warning', 'note']);
  });

  it('looks at function apps alone', async () => {
    const deps = { environment: {}, supported: supportedKinds(), isListening: async () => true };
    await expect(runDoctor(folder.path, deps)).rejects.toMatchObject({ code: 'APP_FOLDER_IS_NO_APP' });
  });
});
