import { describe, expect, it } from 'vitest';
import { runCommandLine } from '../testing/run-control.ts';

describe('switchyard control-plane', () => {
  it.each([['drfit'], ['drift,helth'], ['__proto__']])('knows no worker %s', async (name) => {
    const { exitCode, err } = await runCommandLine(['control-plane', '--workers', name], { environment: {} });
    expect(exitCode).toBe(2);
    expect(err).toContain('There are: deployment, health, scaling, drift, configuration, secrets, inventory.');
  });

  it('says that no platform runs', async () => {
    const { exitCode, err } = await runCommandLine(['control-plane', '--data-dir', '/nowhere/at/all'], {
      environment: {},
    });
    expect(exitCode).toBe(1);
    expect(err).toContain('No platform runs here');
  });
});
