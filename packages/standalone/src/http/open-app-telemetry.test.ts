import { Secret } from '@switchyard/kernel';
import { createSettingsView, parseHostJson } from '@switchyard/model';
import { createMemoryLog, type IngestionPeer, startIngestionPeer } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAppTelemetry } from './open-app-telemetry.ts';

let peer: IngestionPeer;
beforeEach(async () => {
  peer = await startIngestionPeer();
});
afterEach(() => peer.close());

/** Who was asked for a token, and for what. */
const asked: unknown[] = [];
/** What was sent where nobody listens. */
const sent: { readonly url: string; readonly authorization: string | null }[] = [];
const fetchHere: typeof fetch = async (url, init) => {
  if (String(url).startsWith('http:')) return await fetch(url, init);
  sent.push({ url: String(url), authorization: new Headers(init?.headers).get('authorization') });
  return new Response('{}');
};
const openAppTelemetry = createAppTelemetry({
  tokens: async (identity, scope) => {
    asked.push([identity, scope]);
    return new Secret('a-token');
  },
  fetch: fetchHere,
});

function open(values: Readonly<Record<string, string>>, logging: object = {}) {
  const settings = createSettingsView(new Map(Object.entries(values)));
  const scope = { where: 'host.json', development: false, cpus: 1 };
  const host = parseHostJson({ version: '2.0', logging }, scope);
  const log = createMemoryLog();
  return { log, sink: openAppTelemetry({ applicationId: 'shop', settings, host, hostId: 'shop-1', log }) };
}

const connection = (): string => `InstrumentationKey=a-key;IngestionEndpoint=${peer.url}/`;
const line = (level: 'debug' | 'information', message: string) => ({ timeMs: 0, level, message, fields: {} });

describe('openAppTelemetry', () => {
  it.each([{}, { APPLICATIONINSIGHTS_CONNECTION_STRING: '', APPINSIGHTS_INSTRUMENTATIONKEY: '' }])(
    'opens nothing for %j',
    (values) => {
      expect(open(values)).toMatchObject({ sink: undefined, log: { records: [] } });
    },
  );

  it('sends to the address of the connection string, which wins over a key alone', async () => {
    const APPLICATIONINSIGHTS_CONNECTION_STRING = connection();
    const { sink } = open({ APPLICATIONINSIGHTS_CONNECTION_STRING, APPINSIGHTS_INSTRUMENTATIONKEY: 'another' });
    sink?.line(line('information', 'one'));
    sink?.line(line('debug', 'two'));
    await sink?.close();
    expect(peer.envelopes).toMatchObject([
      { iKey: 'a-key', tags: { 'ai.cloud.role': 'shop' }, data: { baseData: { message: 'one' } } },
    ]);
    expect(peer.problems).toEqual([]);
  });

  it('takes the levels of its own section before those of all, and the name of the site for the role', async () => {
    const values = { APPLICATIONINSIGHTS_CONNECTION_STRING: connection(), WEBSITE_SITE_NAME: 'the-site' };
    const logging = { logLevel: { default: 'None' }, applicationInsights: { logLevel: { default: 'Debug' } } };
    const { sink } = open(values, logging);
    sink?.line(line('debug', 'a detail'));
    await sink?.close();
    expect(peer.envelopes).toMatchObject([{ tags: { 'ai.cloud.role': 'the-site' } }]);
  });

  it('opens a key alone, for the public service', async () => {
    const { sink, log } = open({ APPINSIGHTS_INSTRUMENTATIONKEY: 'a-key' });
    expect([sink === undefined, log.records]).toEqual([false, []]);
    await sink?.close();
  });

  it('shows a token of the identity that the app names', async () => {
    const { sink } = open({
      APPLICATIONINSIGHTS_CONNECTION_STRING: 'InstrumentationKey=a-key;IngestionEndpoint=https://in.example.com/',
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'Authorization=AAD;ClientId=of-the-app',
    });
    sink?.line(line('information', 'one'));
    await sink?.close();
    expect(asked).toEqual([
      [{ kind: 'default', clientId: 'of-the-app', tenantId: undefined }, 'https://monitor.azure.com//.default'],
    ]);
    expect(sent).toEqual([{ url: 'https://in.example.com/v2.1/track', authorization: 'Bearer a-token' }]);
  });

  it.each([
    ['a token in clear', 'Authorization=AAD', 'over TLS alone'],
    ['another way to show who it is', 'Authorization=Magic', 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING'],
  ])('sends nothing with %s, and says so', (_what, who, reason) => {
    const values = { APPLICATIONINSIGHTS_CONNECTION_STRING: connection() };
    const { sink, log } = open({ ...values, APPLICATIONINSIGHTS_AUTHENTICATION_STRING: who });
    expect(sink).toBeUndefined();
    expect(log.records).toMatchObject([{ level: 'warning', fields: { reason: expect.stringContaining(reason) } }]);
  });

  it('says once what is wrong with a connection string, without its value', () => {
    const { sink, log } = open({ APPLICATIONINSIGHTS_CONNECTION_STRING: 'a-secret' });
    expect([sink, log.records.length]).toEqual([undefined, 1]);
    expect(JSON.stringify(log.records)).not.toContain('a-secret');
  });
});
