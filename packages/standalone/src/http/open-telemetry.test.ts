import { silentLog } from '@switchyard/kernel';
import { createMemoryMeter } from '@switchyard/telemetry';
import { describe, expect, it } from 'vitest';
import { openTelemetry } from './open-telemetry.ts';

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
