import { TypedData } from '@switchyard/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TriggerEvent } from '../contract.ts';
import { jsonData } from '../typed-data.ts';
import type { HttpCapabilities, HttpTriggerRequest } from './contract.ts';
import { toHttpEvent } from './to-http-event.ts';

/** What the official Node worker says of itself. */
const node: HttpCapabilities = {
  bodyOnly: true,
  rawBodyBytes: true,
  triggerMetadataRemoved: true,
  ignoreEmptyHeaders: true,
  nullableValues: true,
};

/** A worker without any capability. */
const plain: HttpCapabilities = {
  bodyOnly: false,
  rawBodyBytes: false,
  triggerMetadataRemoved: false,
  ignoreEmptyHeaders: false,
  nullableValues: false,
};

function request(given: Partial<HttpTriggerRequest> & { text?: string } = {}): HttpTriggerRequest {
  return {
    method: 'GET',
    url: 'http://localhost:7071/api/hello',
    search: '',
    rawHeaders: [],
    params: new Map(),
    body: new TextEncoder().encode(given.text ?? ''),
    signal: new AbortController().signal,
    ...given,
  };
}

function httpOf(event: TriggerEvent): Extract<NonNullable<TypedData['data']>, { $case: 'http' }>['value'] {
  if (event.data.data?.$case !== 'http') throw new Error('no http value');
  return event.data.data.value;
}

function plainMap(map: ReadonlyMap<string, { string?: { value: string } | undefined } | string>): unknown {
  return [...map].map(([name, value]) => [name, typeof value === 'string' ? value : value.string?.value]);
}

function metadataOf(event: TriggerEvent): unknown[] {
  return [...event.metadata].map(([name, { data }]) => [name, data?.$case, data?.$case === 'http' ? '' : data?.value]);
}

describe('toHttpEvent', () => {
  it('fills the nullable maps, and only those, for a worker that reads them', () => {
    const http = httpOf(
      toHttpEvent(
        request({
          rawHeaders: ['Host', 'localhost:7071', 'X-Empty', ''],
          search: 'a=1&empty=',
          params: new Map([
            ['name', 'bob'],
            ['missing', undefined],
          ]),
        }),
        node,
      ),
    );
    expect(plainMap(http.nullableHeaders)).toEqual([
      ['host', 'localhost:7071'],
      ['x-empty', ''],
    ]);
    expect(plainMap(http.nullableQuery)).toEqual([
      ['a', '1'],
      ['empty', ''],
    ]);
    expect(plainMap(http.nullableParams)).toEqual([['name', 'bob']]);
    expect([http.headers.size, http.query.size, http.params.size]).toEqual([0, 0, 0]);
    expect(http).toMatchObject({ method: 'GET', url: 'http://localhost:7071/api/hello', body: undefined });
  });

  it('fills the plain maps for others, without empty query values', () => {
    const given = request({
      rawHeaders: ['X-Empty', '', 'A', 'b'],
      search: 'a=1&empty=',
      params: new Map([
        ['name', 'bob'],
        ['missing', undefined],
      ]),
    });
    const http = httpOf(toHttpEvent(given, plain));
    expect(plainMap(http.headers)).toEqual([
      ['x-empty', ''],
      ['a', 'b'],
    ]);
    expect(plainMap(http.query)).toEqual([['a', '1']]);
    expect(plainMap(http.params)).toEqual([['name', 'bob']]);
    expect([http.nullableHeaders.size, http.nullableQuery.size, http.nullableParams.size]).toEqual([0, 0, 0]);
    const ignoring = httpOf(toHttpEvent(given, { ...plain, ignoreEmptyHeaders: true }));
    expect(plainMap(ignoring.headers)).toEqual([['a', 'b']]);
  });

  it('joins repeated headers by commas and cookies by semicolons', () => {
    const rawHeaders = ['X-A', '1', 'x-a', '2', 'Cookie', 'a=1', 'cookie', 'b=2'];
    const http = httpOf(toHttpEvent(request({ rawHeaders }), plain));
    expect(plainMap(http.headers)).toEqual([
      ['x-a', '1,2'],
      ['cookie', 'a=1; b=2'],
    ]);
  });

  it('takes the trace context from the headers', () => {
    const event = toHttpEvent(request({ rawHeaders: ['Traceparent', '00-a-b-01', 'tracestate', 'x=1'] }), node);
    expect([event.traceParent, event.traceState]).toEqual(['00-a-b-01', 'x=1']);
    expect(toHttpEvent(request(), node)).not.toHaveProperty('traceParent');
  });

  it('says who the caller is where a proxy in front vouches for it, and nowhere else', () => {
    const principal = { auth_typ: 'aad', claims: [{ typ: 'name', val: 'Ada' }] };
    const header = Buffer.from(JSON.stringify(principal)).toString('base64');
    const rawHeaders = ['X-MS-CLIENT-PRINCIPAL', header];
    const trusted = httpOf(toHttpEvent(request({ rawHeaders, trustsPrincipal: true }), node));
    expect(trusted.identities.map(({ claims }) => claims)).toEqual([[{ type: 'name', value: 'Ada' }]]);
    expect(httpOf(toHttpEvent(request({ rawHeaders }), node)).identities).toEqual([]);
    expect(httpOf(toHttpEvent(request({ trustsPrincipal: true }), node)).identities).toEqual([]);
  });

  it('gives the host its reason and the signal of the request', () => {
    const given = request();
    const event = toHttpEvent(given, node);
    expect(event.reason).toBe('This function was programmatically called via the host APIs.');
    expect(event.signal).toBe(given.signal);
  });
});

describe('the body', () => {
  const json = ['content-type', 'application/json; charset=utf-8'];
  const octets = ['content-type', 'application/octet-stream'];
  const form = ['content-type', 'multipart/form-data; boundary=x'];
  const bytes = (text: string): unknown => ({ $case: 'bytes', value: new TextEncoder().encode(text) });
  const text = (value: string): unknown => ({ $case: 'string', value });

  it.each([
    ['bytes for a worker that wants raw bytes', node, [], '{"a":1}', bytes('{"a":1}'), undefined],
    [
      'text for a worker that wants the body only',
      { ...plain, bodyOnly: true },
      json,
      '{"a":1}',
      text('{"a":1}'),
      undefined,
    ],
    ['bytes for octets, body only', { ...plain, bodyOnly: true }, octets, 'xy', bytes('xy'), undefined],
    ['bytes for multipart, body only', { ...plain, bodyOnly: true }, form, 'xy', bytes('xy'), undefined],
    ['JSON and its text', plain, json, '{"a": 1}', { $case: 'json', value: '{"a": 1}' }, text('{"a": 1}')],
    ['a JSON list', plain, json, '[1]', { $case: 'json', value: '[1]' }, text('[1]')],
    ['a JSON text', plain, json, '"hi"', text('hi'), text('"hi"')],
    ['a JSON fraction', plain, json, '1.5', { $case: 'double', value: 1.5 }, text('1.5')],
    ['a JSON whole number', plain, json, '5', { $case: 'json', value: '5' }, text('5')],
    ['JSON null as nothing', plain, json, 'null', undefined, text('null')],
    ['broken JSON as text', plain, json, '{"a":', text('{"a":'), text('{"a":')],
    ['octets and their text', plain, octets, 'xy', bytes('xy'), text('xy')],
    ['other types as text', plain, ['content-type', 'text/plain'], 'xy', text('xy'), text('xy')],
    ['no type as text', plain, [], 'xy', text('xy'), text('xy')],
    [
      'raw bytes beside the body',
      { ...plain, rawBodyBytes: true },
      json,
      '{}',
      { $case: 'json', value: '{}' },
      bytes('{}'),
    ],
    ['text without its byte order mark', plain, [], '\ufeffxy', text('xy'), text('xy')],
  ])('is %s', (_name, capabilities, rawHeaders, content, body, rawBody) => {
    const http = httpOf(toHttpEvent(request({ rawHeaders, text: content }), capabilities));
    expect(http.body?.data).toEqual(body);
    expect(http.rawBody?.data).toEqual(rawBody);
  });

  it('is absent when there is none', () => {
    expect(httpOf(toHttpEvent(request({ rawHeaders: json }), plain))).toMatchObject({
      body: undefined,
      rawBody: undefined,
    });
  });
});

describe('trigger_metadata', () => {
  it('holds the properties of a JSON body, the query without the key, the route parameters, Query and Headers', () => {
    const event = toHttpEvent(
      request({
        text: '{"id":7,"name":"body","list":[1]}',
        search: 'name=query&Code=secret&page=2',
        params: new Map([
          ['page', 'route'],
          ['gone', undefined],
        ]),
        rawHeaders: ['X-A', '"1"'],
      }),
      node,
    );
    expect(metadataOf(event)).toEqual([
      ['id', 'string', '7'],
      ['name', 'string', 'query'],
      ['page', 'string', 'route'],
      ['Query', 'json', '{"name":"query","Code":"secret","page":"2"}'],
      ['Headers', 'json', '{"x-a":"\\"1\\""}'],
    ]);
  });

  it('lets a parameter named like a built-in entry win', () => {
    const event = toHttpEvent(request({ search: 'headers=mine' }), node);
    expect(metadataOf(event)).toEqual([
      ['headers', 'string', 'mine'],
      ['Query', 'json', '{"headers":"mine"}'],
    ]);
  });

  it('holds the request itself for a worker that does not decline it', () => {
    const event = toHttpEvent(request(), plain, 'req');
    expect(metadataOf(event)).toEqual([
      ['Query', 'json', '{}'],
      ['Headers', 'json', '{}'],
      ['$request', 'http', ''],
      ['req', 'http', ''],
    ]);
  });

  it('is safe with hostile names', () => {
    const event = toHttpEvent(
      request({ search: '__proto__=1', rawHeaders: ['__proto__', 'x'], text: '{"__proto__":{"a":1}}' }),
      node,
    );
    expect(event.metadata.get('Headers')).toEqual(jsonData('{"__proto__":"x"}'));
    expect(({} as Record<string, unknown>).a).toBeUndefined();
  });
});

describe('over the wire', () => {
  it('every request arrives as it was mapped, for every capability combination', () => {
    const capabilities = fc.record({
      bodyOnly: fc.boolean(),
      rawBodyBytes: fc.boolean(),
      triggerMetadataRemoved: fc.boolean(),
      ignoreEmptyHeaders: fc.boolean(),
      nullableValues: fc.boolean(),
    });
    const type = fc.constantFrom(
      'application/json',
      'text/plain',
      'application/octet-stream',
      'multipart/form-data',
      '',
    );
    const latin = fc.string();
    fc.assert(
      fc.property(
        capabilities,
        type,
        fc.array(fc.tuple(latin, latin)),
        fc.uint8Array(),
        fc.string(),
        (combination, contentType, headers, body, search) => {
          const rawHeaders = ['content-type', contentType, ...headers.flat()];
          const event = toHttpEvent(request({ rawHeaders, body, search }), combination, 'req');
          for (const typed of [event.data, ...event.metadata.values()]) {
            const wire = TypedData.decode(TypedData.encode(typed).finish());
            expect(TypedData.encode(wire).finish()).toEqual(TypedData.encode(typed).finish());
          }
          const { body: mapped } = httpOf(event);
          expect(mapped === undefined).toBe(body.byteLength === 0);
          if (mapped?.data?.$case === 'bytes') expect(mapped.data.value).toBe(body);
        },
      ),
    );
  });
});
