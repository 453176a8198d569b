import type { FunctionStatus, JobHostStatus } from '@switchyard/runtime';
import { describe, expect, it } from 'vitest';
import { coreToolsFunctionList, curlLines, functionList } from './function-list.ts';

const status = (functions: readonly FunctionStatus[], rejected: JobHostStatus['rejected'] = []): JobHostStatus => ({
  key: 'shop:dev',
  applicationId: 'shop',
  state: 'active',
  functions,
  rejected,
  workers: [],
  versions: [],
});

const http = (name: string, template: string, methods: readonly string[], authLevel = 'anonymous'): FunctionStatus => ({
  name,
  trigger: 'httpTrigger',
  disabled: false,
  route: { template, methods, authLevel },
});

const baseUrl = 'http://localhost:7071';

describe('functionList', () => {
  it('lists functions as the official tools do', () => {
    const functions: FunctionStatus[] = [
      http('hello', 'api/hello/{name?}', ['get', 'POST']),
      http('any', 'any', []),
      { name: 'tick', trigger: 'timerTrigger', disabled: true },
    ];
    const rejected = [{ name: 'broken', reason: "there is no binding type 'magic'" }];
    expect(functionList(status(functions, rejected), baseUrl, 'Functions')).toBe(
      [
        '',
        'Functions:',
        '',
        '\thello: [GET,POST] http://localhost:7071/api/hello/{name?}',
        '',
        '\tany: http://localhost:7071/any',
        '',
        '\ttick: timerTrigger (disabled)',
        '',
        'Not running:',
        '',
        "\tbroken: there is no binding type 'magic'",
        '',
        '',
      ].join('\n'),
    );
  });

  it('says so when there is none', () => {
    expect(functionList(status([]), baseUrl, 'Functions')).toContain('\tnone\n');
  });
});

describe('coreToolsFunctionList', () => {
  it('lists HTTP functions, then the others, then those that are switched off', () => {
    const functions: FunctionStatus[] = [
      { name: 'tick', trigger: 'timerTrigger', disabled: false },
      { ...http('off', 'api/off', ['get']), disabled: true },
      http('hello', 'api/hello/{name?}', ['get', 'post']),
    ];
    expect(coreToolsFunctionList(status(functions, [{ name: 'broken', reason: 'why' }]), baseUrl)).toBe(
      [
        '',
        'Functions:',
        '',
        '\thello: [GET,POST] http://localhost:7071/api/hello/{name?}',
        '',
        '\ttick: timerTrigger',
        '',
        'Function off is disabled.',
        '',
      ].join('\n'),
    );
  });

  it('prints nothing when there is nothing to list', () => {
    expect(coreToolsFunctionList(status([]), baseUrl)).toBe('');
  });
});

describe('curlLines', () => {
  it.each([
    ['api/hello', 'api/hello'],
    ['api/hello/{name?}', 'api/hello'],
    ['api/hello/{name:alpha?}', 'api/hello'],
    ['api/files/{*path}', 'api/files'],
    ['api/sum/{a:int}/{b:range(1,5)}', 'api/sum/42/1'],
    ['api/{when:datetime}/{kind=book}', 'api/2026-01-31/book'],
  ])('fills %s', (template, path) => {
    expect(curlLines(status([http('f', template, ['GET'])]), baseUrl)).toEqual([`curl ${baseUrl}/${path}`]);
  });

  it.each(['api/documents/{id}', 'api/{code:length(4)}/{page:int}', 'api/{id}/{*rest}'])(
    'leaves out %s, whose parameter names something',
    (template) => {
      expect(curlLines(status([http('f', template, ['GET'])]), baseUrl)).toEqual([]);
    },
  );

  it('leaves out what needs a key, a body or is no HTTP function', () => {
    const functions = [
      http('post', 'api/post', ['POST']),
      http('secret', 'api/secret', ['GET'], 'function'),
      { name: 'tick', trigger: 'timerTrigger', disabled: false },
      { ...http('off', 'api/off', []), disabled: true },
    ];
    expect(curlLines(status(functions), baseUrl)).toEqual([]);
  });
});
