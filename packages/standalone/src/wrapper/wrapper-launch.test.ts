import { describe, expect, it } from 'vitest';
import { toWorkerVariables, toWrapperLaunch } from './wrapper-launch.ts';

const given = { workerPath: undefined, directory: '/app', environment: { PATH: '/bin' }, passes: [] };

describe('toWrapperLaunch', () => {
  it('takes every word for an argument unless it is told which one is the worker', () => {
    const launch = toWrapperLaunch({ ...given, command: ['node', '--flag', 'worker.js', '--port', '1'] });
    expect(launch).toEqual({
      executable: 'node',
      arguments: ['--flag', 'worker.js', '--port', '1'],
      workerPath: '',
      workerArguments: [],
      directory: '/app',
      environment: { PATH: '/bin' },
    });
  });

  it('parts the words at the path of the worker', () => {
    const command = ['node', '--flag', 'worker.js', '--port', '1'];
    expect(toWrapperLaunch({ ...given, command, workerPath: 'worker.js' })).toMatchObject({
      arguments: ['--flag'],
      workerPath: 'worker.js',
      workerArguments: ['--port', '1'],
    });
  });

  it('names what is missing', () => {
    expect(() => toWrapperLaunch({ ...given, command: [] })).toThrow('switchyard wrapper -- node worker.js');
    expect(() => toWrapperLaunch({ ...given, command: ['node', 'a.js'], workerPath: 'b.js' })).toThrow(
      "The command does not hold 'b.js'",
    );
  });
});

describe('toWorkerVariables', () => {
  it('hands on what programs need, and keeps what may be a secret', () => {
    const usual = { PATH: '/bin', LC_ALL: 'C', FUNCTIONS_WORKER_RUNTIME: 'node', PYTHONPATH: '/lib', NODE_OPTIONS: '' };
    const secrets = {
      WORKER_AUTH_TOKEN: 'jwt',
      AzureWebJobsStorage: 'AccountKey=x',
      NODE_AUTH_TOKEN: 'x',
      MY_SETTING: 'x',
      PATHS: 'x',
    };
    expect(toWorkerVariables({ ...usual, ...secrets, HOME: undefined }, [])).toEqual(usual);
  });

  it('hands on what is named, but never the token', () => {
    const environment = { EXTRA: 'yes', OTHER: 'no', WORKER_AUTH_TOKEN: 'jwt' };
    expect(toWorkerVariables(environment, ['EXTRA', 'WORKER_AUTH_TOKEN', 'toString'])).toEqual({ EXTRA: 'yes' });
  });
});
