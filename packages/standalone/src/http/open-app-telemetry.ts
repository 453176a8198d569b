/** Telemetry of apps for Application Insights, as their settings ask for it. */
import { hostname } from 'node:os';
import { promisify } from 'node:util';
import { systemClock, systemRandom } from '@switchyard/kernel';
import type { OpenAppTelemetry } from '@switchyard/runtime';
import { ApplicationInsights, createLevelFilter, parseInsightsConnection, type TrackPost } from '@switchyard/telemetry';

/** What is sent names the host by this version. */
const version = '0.1.0';

/**
 * A sink for an app with APPLICATIONINSIGHTS_CONNECTION_STRING or APPINSIGHTS_INSTRUMENTATIONKEY; the first one counts. A connection
 * string that names nobody is told of, without its value, and the app runs on without a sink.
 */
export const openAppTelemetry: OpenAppTelemetry = ({ applicationId, settings, host, log }) => {
  const text = settings.get('APPLICATIONINSIGHTS_CONNECTION_STRING') ?? '';
  const key = settings.get('APPINSIGHTS_INSTRUMENTATIONKEY') ?? '';
  if (text === '' && key === '') return undefined;
  const parsed = parseInsightsConnection(text === '' ? `InstrumentationKey=${key}` : text);
  if (parsed.kind === 'unusable') {
    const reason = parsed.problem;
    log.write('warning', 'Application Insights gets no telemetry of this app: its connection string cannot be used', {
      category: 'Host.Telemetry',
      reason,
    });
    return undefined;
  }
  const { instrumentationKey, ingestionEndpoint } = parsed.connection;
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

const post: TrackPost = async (url, body, signal) => {
  // Nobody else needs it, and most apps have no sink.
  const { gzip } = await import('node:zlib');
  const headers = { 'content-type': 'application/x-json-stream', 'content-encoding': 'gzip' };
  const answer = await fetch(url, { method: 'POST', body: await promisify(gzip)(body), headers, signal });
  return {
    status: answer.status,
    retryAfter: answer.headers.get('retry-after') ?? undefined,
    body: await answer.text(),
  };
};
