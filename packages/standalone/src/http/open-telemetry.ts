/** Telemetry for collectors, as the variables of OpenTelemetry ask for it. */
import { type Log, systemClock, systemRandom } from '@switchyard/kernel';
import type { HostJson, SettingsView } from '@switchyard/model';
import { type MemoryMeter, OtlpExporter, type OtlpPost } from '@switchyard/telemetry';

/**
 * An exporter when OTEL_EXPORTER_OTLP_ENDPOINT names a collector; undefined otherwise. OTEL_SERVICE_NAME is the name of the
 * service (`switchyard`), OTEL_EXPORTER_OTLP_HEADERS holds `name=value` pairs with commas.
 */
export function openTelemetry(
  environment: Readonly<Record<string, string | undefined>>,
  { log, meter }: { readonly log: Log; readonly meter: MemoryMeter },
): OtlpExporter | undefined {
  const endpoint = environment.OTEL_EXPORTER_OTLP_ENDPOINT ?? '';
  if (!/^https?:$/.test(URL.canParse(endpoint) ? new URL(endpoint).protocol : '')) return undefined;
  const resource = { 'service.name': environment.OTEL_SERVICE_NAME || 'switchyard' };
  const post = createPost(toHeaders(environment.OTEL_EXPORTER_OTLP_HEADERS ?? ''));
  return new OtlpExporter({ clock: systemClock, random: systemRandom, log, meter, post }, { endpoint, resource });
}

const variables = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_SERVICE_NAME'] as const;

/**
 * The environment with the variables of OpenTelemetry of the first app that has a collector in its settings and says
 * `"telemetryMode": "OpenTelemetry"` in host.json, where the environment names no collector itself.
 */
export function withTelemetryOf(
  environment: Readonly<Record<string, string | undefined>>,
  applications: readonly { readonly settings: SettingsView; readonly host: Pick<HostJson, 'telemetryMode'> }[],
): Readonly<Record<string, string | undefined>> {
  const app = applications.find(
    ({ host, settings }) => /^opentelemetry$/i.test(host.telemetryMode) && (settings.get(variables[0]) ?? '') !== '',
  );
  if (app === undefined || (environment[variables[0]] ?? '') !== '') return environment;
  return { ...environment, ...Object.fromEntries(variables.map((name) => [name, app.settings.get(name)])) };
}

function createPost(headers: Readonly<Record<string, string>>): OtlpPost {
  return async (url, body, signal) => {
    const given = { ...headers, 'content-type': 'application/json' };
    const { status } = await fetch(url, { method: 'POST', body, signal, headers: given });
    return { status };
  };
}

function toHeaders(text: string): Readonly<Record<string, string>> {
  const pairs = text.split(',').flatMap((pair) => {
    const equals = pair.indexOf('=');
    return equals < 1 ? [] : [[pair.slice(0, equals).trim(), pair.slice(equals + 1).trim()]];
  });
  return Object.fromEntries(pairs);
}
