import { silentLog } from '@switchyard/kernel';
import { createSettingsView } from '@switchyard/model';
import { createMemoryMeter } from '@switchyard/telemetry';
import { describe, expect, it } from 'vitest';
import { openTelemetry, withTelemetryOf } from './open-telemetry.ts';

const deps = { log: silentLog, meter: createMemoryMeter() };

describe('openTelemetry', () => {
  it.each([[{}], [{ OTEL_EXPORTER_OTLP_ENDPOINT: '' }], [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'file:///tmp' }]])(
    'sends nothing for %j',
    (environment) => {
      expect(openTelemetry(environment, deps)).toBeUndefined();
    },
  );

  it('exports to the collector that the environment names', async () => {
    const exporter = openTelemetry({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' }, deps);
    expect(exporter?.dropped).toBe(0);
    await exporter?.close();
  });
});

describe('withTelemetryOf', () => {
  const app = (telemetryMode: string, values: Readonly<Record<string, string>>) => ({
    host: { telemetryMode },
    settings: createSettingsView(new Map(Object.entries(values))),
  });
  const collector = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector', OTEL_SERVICE_NAME: 'shop' };

  it('takes the collector that an app in the mode OpenTelemetry names in its settings', () => {
    const apps = [app('', collector), app('openTelemetry', {}), app('OpenTelemetry', collector)];
    expect(withTelemetryOf({ PATH: '/bin' }, apps)).toEqual({ PATH: '/bin', ...collector });
    expect(withTelemetryOf({ PATH: '/bin' }, apps.slice(0, 2))).toEqual({ PATH: '/bin' });
  });

  it('leaves the word to the environment', () => {
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://own' };
    expect(withTelemetryOf(environment, [app('OpenTelemetry', collector)])).toBe(environment);
  });
});
