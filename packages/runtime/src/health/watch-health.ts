/**
 * What an app does while the process that it shares is not well: its listeners take nothing new, so that what waits stays for
 * others, and probes hear that it is unhealthy. Requests are served all the same, for callers who have nobody else; an app that
 * wants them turned away says so (`dynamicThrottlesEnabled`). Nothing is killed: that would end the work of every other app.
 */
import type { JobHost } from '../job-host/job-host.ts';
import type { HealthMonitors } from './health-monitors.ts';
import type { Vital } from './process-health.ts';

/** Returns how to end that. */
export function watchHealth(
  monitors: HealthMonitors,
  jobHost: Pick<JobHost, 'application' | 'duty' | 'log'>,
): () => void {
  const { healthMonitor } = jobHost.application.host;
  return monitors.join(healthMonitor, (isUnwell, shortages) => {
    if (isUnwell) {
      const fields = { category: 'Host.General', short: namesOf(shortages), threshold: healthMonitor.counterThreshold };
      jobHost.log.write(
        'error',
        'The host is unhealthy: its listeners take nothing new until that has passed.',
        fields,
      );
      jobHost.duty.pause('health');
    } else {
      jobHost.log.write('information', 'The host is healthy again.', { category: 'Host.General' });
      jobHost.duty.resume('health');
    }
  });
}

/** Such as `memory 93 %, open files 81 %`. */
export function namesOf(vitals: readonly Vital[]): string {
  return vitals.map(({ name, used }) => `${name} ${Math.round(used * 100)} %`).join(', ');
}
