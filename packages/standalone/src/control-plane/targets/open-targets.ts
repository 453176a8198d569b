/**
 * The compute targets that the environment configures, besides the installation itself. What is not configured is not loaded.
 *
 * Ownership: whoever opens them closes them, after the workers and before the store.
 */
import type { ComputeTarget, Store } from '@switchyard/control-plane';
import type { Log } from '@switchyard/kernel';
import { readAzureSettings } from './azure-settings.ts';
import { readKubernetesSettings } from './kubernetes-settings.ts';
import { readNodeAgentSettings } from './node-agents-settings.ts';
import type { Environment } from './target-settings.ts';

export interface TargetScope {
  readonly log: Log;
  readonly environment: Environment;
  readonly store: Store;
  /** 32 bytes; seals what targets keep. */
  readonly key: Uint8Array;
  /** Tells this process from others. */
  readonly holder: string;
}

export interface OpenedTargets {
  readonly targets: readonly ComputeTarget[];
  close(): Promise<void>;
}

export async function openTargets(scope: TargetScope): Promise<OpenedTargets> {
  const { environment } = scope;
  const opened: OpenedTargets[] = [];
  const close = async (): Promise<void> => {
    for (const one of [...opened].reverse()) await one.close();
  };
  try {
    const nodeAgents = readNodeAgentSettings(environment);
    if (nodeAgents !== undefined) {
      const { openNodeAgentTarget } = await import('./node-agents.ts');
      opened.push(await openNodeAgentTarget(scope, nodeAgents));
    }
    const kubernetes = readKubernetesSettings(environment);
    if (kubernetes !== undefined) {
      const { openKubernetesTarget } = await import('./kubernetes.ts');
      opened.push(await openKubernetesTarget(scope, kubernetes));
    }
    const azure = readAzureSettings(environment);
    if (azure !== undefined) {
      const { openAzureTargets } = await import('./azure.ts');
      opened.push(await openAzureTargets(azure));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { targets: opened.flatMap(({ targets }) => targets), close };
}
