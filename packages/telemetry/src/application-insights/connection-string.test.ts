import { describe, expect, it } from 'vitest';
import { parseInsightsConnection, parseInsightsIdentity } from './connection-string.ts';

const instrumentationKey = '00000000-0000-0000-0000-000000000001';

describe('parseInsightsConnection', () => {
  it.each([
    ['', 'https://dc.services.visualstudio.com'],
    [
      ';IngestionEndpoint=https://west.in.example.com/;LiveEndpoint=https://live.example.com/',
      'https://west.in.example.com',
    ],
    [';ingestionendpoint = http://localhost:4000//', 'http://localhost:4000'],
    [';EndpointSuffix=ai.example.com', 'https://dc.ai.example.com'],
    [';EndpointSuffix=ai.example.com;Location=west', 'https://west.dc.ai.example.com'],
  ])('finds the address in a string with %j', (rest, ingestionEndpoint) => {
    expect(parseInsightsConnection(`instrumentationKey=${instrumentationKey}${rest}`)).toEqual({
      kind: 'ok',
      connection: { instrumentationKey, ingestionEndpoint, tokenScope: 'https://monitor.azure.com//.default' },
    });
  });

  it.each([
    '',
    'InstrumentationKey=',
    'IngestionEndpoint=https://x.example.com/',
    ';;=;',
    'InstrumentationKey=k;IngestionEndpoint=ftp://x/',
    'InstrumentationKey=k;IngestionEndpoint=x',
  ])('says what %j lacks, and does not repeat it', (text) => {
    const parsed = parseInsightsConnection(text);
    expect(parsed).toMatchObject({ kind: 'unusable', problem: expect.stringMatching(/Key|Endpoint/) });
    expect(JSON.stringify(parsed)).not.toContain('ftp');
  });
});

it('finds the audience of another cloud', () => {
  const text = `InstrumentationKey=${instrumentationKey};AADAudience=https://monitor.azure.us/`;
  expect(parseInsightsConnection(text)).toMatchObject({
    connection: { tokenScope: 'https://monitor.azure.us//.default' },
  });
});

it.each([
  ['Authorization=AAD', { clientId: undefined }],
  ['authorization = aad; ClientId = of-the-app', { clientId: 'of-the-app' }],
  ['', undefined],
  ['ClientId=of-the-app', undefined],
  ['Authorization=Basic', undefined],
])('reads who shows a token in %j', (text, identity) => {
  expect(parseInsightsIdentity(text)).toEqual(identity);
});
