import { parseHostJson } from '@switchyard/model';
import { describe, expect, test } from 'vitest';
import { toHandlerLaunch } from './handler-launch.ts';
import type { HandlerLaunch } from './ports.ts';

function launch(description: Record<string, unknown>, files: readonly string[] = []): HandlerLaunch {
  const source = { version: '2.0', customHandler: { description } };
  const { customHandler } = parseHostJson(source, { where: 'host.json', development: false, cpus: 1 });
  if (customHandler === undefined) throw new Error('no custom handler');
  return toHandlerLaunch(customHandler, {
    scriptRoot: '/app',
    workerId: 'w1',
    port: 40_001,
    hostUri: 'http://127.0.0.1:50051/',
    environment: { PATH: '/bin', TOOLS: '/tools', FUNCTIONS_CUSTOMHANDLER_PORT: 'stale' },
    hasFile: (path) => files.includes(path),
  });
}

describe('toHandlerLaunch', () => {
  test('a program of the app, with everything that the official host sets', () => {
    expect(launch({ defaultExecutablePath: 'bin/handler' }, ['/app/bin/handler'])).toEqual({
      executable: '/app/bin/handler',
      arguments: [],
      directory: '/app',
      environment: {
        PATH: '/bin',
        TOOLS: '/tools',
        FUNCTIONS_CUSTOMHANDLER_PORT: '40001',
        FUNCTIONS_HTTPWORKER_PORT: '40001',
        FUNCTIONS_CUSTOMHANDLER_WORKER_ID: 'w1',
        FUNCTIONS_HTTPWORKER_ID: 'w1',
        FUNCTIONS_APP_ROOT_PATH: '/app',
        FUNCTIONS_URI: 'http://127.0.0.1:50051/',
      },
    });
  });

  test.each<[string, Record<string, unknown>, Partial<HandlerLaunch>]>([
    ['a program of the system', { defaultExecutablePath: 'python3' }, { executable: 'python3', arguments: [] }],
    ['an absolute program', { defaultExecutablePath: '/opt/h' }, { executable: '/opt/h' }],
    ['a variable in the program', { defaultExecutablePath: '%TOOLS%/h%NOTHING%' }, { executable: '/tools/h' }],
    [
      'arguments, path and more arguments',
      {
        defaultExecutablePath: 'java',
        arguments: ['-Xmx64m -jar'],
        defaultWorkerPath: 'my app.jar',
        workerArguments: ['--name "a b"', '%TOOLS%'],
      },
      { arguments: ['-Xmx64m', '-jar', 'my app.jar', '--name', 'a b', '/tools'] },
    ],
    ['a folder below the app', { defaultExecutablePath: 'h', workingDirectory: 'src' }, { directory: '/app/src' }],
    ['a folder elsewhere', { defaultExecutablePath: 'h', workingDirectory: '/srv' }, { directory: '/srv' }],
  ])('%s', (_name, description, expected) => {
    expect(launch(description)).toMatchObject(expected);
  });
});
