import { readFile } from 'node:fs/promises';
import { messageOf } from '@switchyard/kernel';
import { describeSettings, type EffectiveSettings, readAgentSettings, readSettingsFile } from '@switchyard/node-agent';
import type { AgentOptions } from './agent-options.ts';
import { agentProcessErrors } from './errors.ts';

type Sources = Pick<AgentOptions, 'configFile' | 'flags' | 'environment'>;

/** The settings of an agent with their sources. Rejects with AGENT_CONFIG_INVALID or AGENT_CONFIG_UNREADABLE. */
export async function readConfiguration({ configFile, flags, environment }: Sources): Promise<EffectiveSettings> {
  const file = configFile === undefined ? undefined : await readSettingsFile(configFile, await readText(configFile));
  return readAgentSettings({ file, environment, flags });
}

/** The same as a page for people: every setting, its value, and where it comes from. */
export async function describeConfiguration(sources: Sources): Promise<string> {
  return describeSettings(await readConfiguration(sources));
}

async function readText(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch((error: unknown) => {
    throw agentProcessErrors.create('AGENT_CONFIG_UNREADABLE', { path, reason: messageOf(error) }, error);
  });
}
