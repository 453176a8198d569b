/**
 * A Runtime with many warm apps, each with a worker of its own behind a sidecar, for `density.ts`:
 * `node density-process.ts <worker bundle> <count>`. Prints its port and the workers' ids of processes, and ends with its input.
 */
import type { ApplicationDefinition } from '@switchyard/model';
import { openDecoupledPlatform } from '../decoupled/decoupled-platform.ts';
import { createHelloApplication } from '../decoupled/hello-application.ts';

const [, , workerPath = '', count = '0'] = process.argv;
const platform = await openDecoupledPlatform({ workerPath, minimum: 0 });
for (let index = 0; index < Number(count); index += 1) {
  const definition: ApplicationDefinition = { applicationId: `app-${index}`, metadataVersion: 'm1', codeVersion: 'c1' };
  await platform.runtime.addApplication(createHelloApplication(definition));
}
process.stdout.write(`${JSON.stringify({ port: Number(new URL(platform.url).port), pids: platform.pids })}\n`);
process.stdin.resume();
process.stdin.once('end', () => void platform.close().then(() => process.exit(0)));
