/**
 * A Runtime with one app each of two tenants, over real sockets and worker processes, for `noisy-neighbour.ts`:
 * `node two-tenants-process.ts <worker bundle>`. Prints its port when both apps answer, and ends with its input.
 */
import type { ApplicationDefinition } from '@switchyard/model';
import { openDecoupledPlatform } from '../decoupled/decoupled-platform.ts';
import { createHelloApplication } from '../decoupled/hello-application.ts';

const applicationIds = ['loud', 'quiet'] as const;

const platform = await openDecoupledPlatform({
  workerPath: process.argv[2] ?? '',
  minimum: 0,
  tenantOf: (applicationId) => applicationId,
});
for (const applicationId of applicationIds) {
  const definition: ApplicationDefinition = { applicationId, metadataVersion: 'm1', codeVersion: 'c1' };
  await platform.runtime.addApplication({ ...createHelloApplication(definition), tenantId: applicationId });
}
process.stdout.write(`${new URL(platform.url).port}\n`);
process.stdin.resume();
process.stdin.once('end', () => void platform.close().then(() => process.exit(0)));
