import { describe, expect, test } from 'vitest';
import { type AppSettings, readAppSettings } from './app-settings.ts';

function read(text: string | undefined, environment: Record<string, string> = {}): Promise<AppSettings> {
  return readAppSettings({
    scriptRoot: '/app',
    environment,
    readText: async (path) => (path === '/app/host.json' ? text : undefined),
  });
}

const description = { defaultExecutablePath: 'handler' };

describe('readAppSettings', () => {
  test('reads the handler, its time and the routes', async () => {
    const host = {
      version: '2.0',
      functionTimeout: '00:02:00',
      customHandler: {
        description,
        enableForwardingHttpRequest: true,
        initializationTimeout: '00:00:05',
        http: { routes: [{ route: '{*all}' }] },
      },
    };
    expect(await read(JSON.stringify(host))).toMatchObject({
      scriptRoot: '/app',
      functionTimeoutMs: 120_000,
      handler: { defaultExecutablePath: 'handler', enableForwardingHttpRequest: true, initializationTimeoutMs: 5_000 },
      routes: [{ route: '{*all}', authLevel: 'function' }],
    });
  });

  test('settings override the file', async () => {
    const text = JSON.stringify({ version: '2.0', customHandler: { description } });
    const environment = {
      AzureFunctionsJobHost__customHandler__description__defaultExecutablePath: 'other',
      AzureFunctionsJobHost__functionTimeout: '-1',
    };
    expect(await read(text, environment)).toMatchObject({
      functionTimeoutMs: undefined,
      handler: { defaultExecutablePath: 'other', initializationTimeoutMs: 30_000 },
    });
  });

  test.each<[string, string | undefined, string, string]>([
    ['no file', undefined, 'CUSTOM_HANDLER_MISSING', "'/app/host.json' has no section 'customHandler'"],
    ['no section', '{"version":"2.0"}', 'CUSTOM_HANDLER_MISSING', 'FUNCTIONS_WORKER_RUNTIME'],
    ['broken JSON', '{', 'CUSTOM_HANDLER_HOST_JSON', '/app/host.json'],
    ['no program', '{"version":"2.0","customHandler":{}}', 'CUSTOM_HANDLER_HOST_JSON', 'defaultExecutablePath'],
    [
      'a bad route',
      JSON.stringify({ version: '2.0', customHandler: { description, http: { routes: [1] } } }),
      'CUSTOM_ROUTE_INVALID',
      'routes[0]',
    ],
  ])('%s is an error that names the file', async (_name, text, code, part) => {
    await expect(read(text)).rejects.toMatchObject({ code, message: expect.stringContaining(part) });
  });

  test('a file that cannot be read is such an error too', async () => {
    const source = { scriptRoot: '/app', environment: {}, readText: () => Promise.reject(new Error('EACCES')) };
    await expect(readAppSettings(source)).rejects.toMatchObject({ code: 'CUSTOM_HANDLER_HOST_JSON' });
  });
});
