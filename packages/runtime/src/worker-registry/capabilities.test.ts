import { describe, expect, test } from 'vitest';
import { noCapabilities, parseCapabilities } from './capabilities.ts';

describe('parseCapabilities', () => {
  test('a worker that says nothing can do nothing special', () => {
    expect(noCapabilities).toEqual({
      http: {
        bodyOnly: false,
        rawBodyBytes: false,
        triggerMetadataRemoved: false,
        ignoreEmptyHeaders: false,
        nullableValues: false,
      },
      status: false,
      tellsUnanswered: false,
      terminate: false,
      cancel: false,
      loadCollection: false,
      settingsUpdate: false,
      httpUri: undefined,
      routeParameters: false,
      sendsTelemetry: false,
    });
  });

  test.each(['true', 'True', 'WorkerStatus', '1'])('the value %j turns a capability on', (value) => {
    expect(parseCapabilities(new Map([['WorkerStatus', value]])).status).toBe(true);
  });

  test('an empty value does not', () => {
    expect(parseCapabilities(new Map([['WorkerStatus', '']])).status).toBe(false);
    expect(parseCapabilities(new Map([['HttpUri', '']])).httpUri).toBeUndefined();
    expect(parseCapabilities(new Map([['HttpUri', 'no uri']])).httpUri).toBeUndefined();
  });

  test('each capability has its own effect', () => {
    const names = [
      'RpcHttpBodyOnly',
      'RawHttpBodyBytes',
      'RpcHttpTriggerMetadataRemoved',
      'IgnoreEmptyValuedRpcHttpHeaders',
      'UseNullableValueDictionaryForHttp',
      'WorkerStatus',
      'HandlesWorkerTerminateMessage',
      'HandlesInvocationCancelMessage',
      'SupportsLoadResponseCollection',
      'RequiresRouteParameters',
    ];
    const effects = names.map((name) => {
      const { http, httpUri, ...rest } = parseCapabilities(new Map([[name, 'true']]));
      return Object.entries({ ...http, ...rest })
        .filter(([, isOn]) => isOn)
        .map(([effect]) => effect);
    });
    expect(effects).toEqual([
      ['bodyOnly'],
      ['rawBodyBytes'],
      ['triggerMetadataRemoved'],
      ['ignoreEmptyHeaders'],
      ['nullableValues'],
      ['status'],
      ['terminate'],
      ['cancel'],
      ['loadCollection'],
      ['routeParameters'],
    ]);
    expect(parseCapabilities(new Map([['HttpUri', 'http://localhost:1/']])).httpUri).toBe('http://localhost:1/');
  });
});
