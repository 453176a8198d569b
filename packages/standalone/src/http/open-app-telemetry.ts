/** Telemetry of apps for Application Insights, as their settings ask for it. */
import { hostname } from 'node:os';
import { promisify } from 'node:util';
import { systemClock, systemRandom } from '@switchyard/kernel';
import type { SettingsView } from '@switchyard/model';
import type { OpenAppTelemetry } from '@switchyard/runtime';
import {
  ApplicationInsights,
  createLevelFilter,
  parseInsightsConnection,
  parseInsightsIdentity,
  type TrackPost,
} from '@switchyard/telemetry';
import type { TokenSource } from '@switchyard/triggers';

export interface AppTelemetryDeps {
  /** For apps that show a token (APPLICATIONINSIGHTS_AUTHENTICATION_STRING). */
  readonly tokens: TokenSource;
  readonly fetch: typeof fetch;
}

/** What is sent names the host by this version. */
const version = '0.1.0';

/**
 * Opens sinks for apps with APPLICATIONINSIGHTS_CONNECTION_STRING or APPINSIGHTS_INSTRUMENTATIONKEY; the first one counts. A
 * connection that cannot be used is told of, without its value, and the app runs on without a sink.
 */
export function createAppTelemetry(deps: AppTelemetryDeps): OpenAppTelemetry {
  return ({ applicationId, settings, host, log }) => {
    const text = settings.get('APPLICATIONINSIGHTS_CONNECTION_STRING') ?? '';
    const key = settings.get('APPINSIGHTS_INSTRUMENTATIONKEY') ?? '';
    if (text === '' && key === '') return undefined;
    const opened = openPost(deps, text === '' ? `InstrumentationKey=${key}` : text, settings);
    if (opened.kind === 'unusable') {
      const fields = { category: 'Host.Telemetry', reason: opened.problem };
      log.write('warning', 'Application Insights gets no telemetry of this app', fields);
      return undefined;
    }
    const { instrumentationKey, ingestionEndpoint, post } = opened;
    const { logLevel, applicationInsights } = host.logging;
    const role = settings.get('WEBSITE_CLOUD_ROLENAME') ?? settings.get('WEBSITE_SITE_NAME') ?? applicationId;
    return new ApplicationInsights(
      { clock: systemClock, random: systemRandom, log, post },
      {
        ingestionEndpoint,
        source: { instrumentationKey, role, roleInstance: hostname(), version },
        sampling: applicationInsights.sampling,
        isWanted: createLevelFilter({
          levels: new Map([...logLevel, ...applicationInsights.logLevel]),
          fallback: () => 'information',
        }),
      },
    );
  };
}

type OpenedPost =
  | {
      readonly kind: 'opened';
      readonly instrumentationKey: string;
      readonly ingestionEndpoint: string;
      readonly post: TrackPost;
    }
  | { readonly kind: 'unusable'; readonly problem: string };

/** Where an app's telemetry goes, and the way there. */
function openPost(deps: AppTelemetryDeps, text: string, settings: SettingsView): OpenedPost {
  const parsed = parseInsightsConnection(text);
  if (parsed.kind === 'unusable')
    return { kind: 'unusable', problem: `its connection string is no good: ${parsed.problem}` };
  const { tokenScope, ...connection } = parsed.connection;
  const who = settings.get('APPLICATIONINSIGHTS_AUTHENTICATION_STRING') ?? '';
  if (who === '') return { kind: 'opened', ...connection, post: createPost(deps, async () => ({})) };
  const identity = parseInsightsIdentity(who);
  if (identity === undefined) {
    return {
      kind: 'unusable',
      problem: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING is not "Authorization=AAD;ClientId=..."',
    };
  }
  if (!connection.ingestionEndpoint.startsWith('https:')) {
    return { kind: 'unusable', problem: 'its address is not https, and tokens travel over TLS alone' };
  }
  const authorize = async (signal: AbortSignal): Promise<Record<string, string>> => {
    const token = await deps.tokens({ kind: 'default', ...identity, tenantId: undefined }, tokenScope, signal);
    return { authorization: `Bearer ${token.reveal()}` };
  };
  return { kind: 'opened', ...connection, post: createPost(deps, authorize) };
}

function createPost(
  deps: Pick<AppTelemetryDeps, 'fetch'>,
  authorize: (signal: AbortSignal) => Promise<Readonly<Record<string, string>>>,
): TrackPost {
  return async (url, text, signal) => {
    // Nobody else needs it, and most apps have no sink.
    const { gzip } = await import('node:zlib');
    const own = { 'content-type': 'application/x-json-stream', 'content-encoding': 'gzip' };
    const headers = { ...own, ...(await authorize(signal)) };
    const answer = await deps.fetch(url, { method: 'POST', body: await promisify(gzip)(text), headers, signal });
    return {
      status: answer.status,
      retryAfter: answer.headers.get('retry-after') ?? undefined,
      body: await answer.text(),
    };
  };
}
