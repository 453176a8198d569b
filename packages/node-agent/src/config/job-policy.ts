/** What this agent lets jobs do, decided before they are stored. Pure. */
import type { EffectiveLimits, JobError, JobRequest } from '@switchyard/protocol/job-api';
import type { AgentSettings } from './agent-settings.ts';
import { checkDockerfile } from './dockerfile-policy.ts';
import { isImageAllowed } from './image-policy.ts';

/** A job's terms, or why it is refused. */
export type Admission =
  | { readonly kind: 'admitted'; readonly limits: EffectiveLimits; readonly network: string }
  | { readonly kind: 'refused'; readonly error: JobError };

/** The part of the settings that is policy. */
export type JobPolicy = Pick<
  AgentSettings,
  'allowed_modes' | 'allowed_images' | 'allowed_networks' | 'default_network' | 'pod_network' | 'limits' | 'max_pods'
>;

/** Decides on a job. */
export function admitJob({ runtime }: JobRequest, policy: JobPolicy): Admission {
  const error = refuseMode(runtime, policy) ?? refuseImage(runtime, policy) ?? refuseLimits(runtime, policy);
  if (error !== undefined) return { kind: 'refused', error };
  const isPod = runtime.lifecycle === 'pod';
  const network = runtime.network ?? (isPod ? policy.pod_network : policy.default_network);
  const networks = isPod ? [...policy.allowed_networks, policy.pod_network] : policy.allowed_networks;
  if (!networks.includes(network)) {
    const message = `runtime.network cannot be '${network}': this agent allows ${networks.join(', ') || 'none at all'}. Choose one of them, or add it to allowed_networks.`;
    return { kind: 'refused', error: { code: 'NETWORK_NOT_ALLOWED', message } };
  }
  const asked = runtime.limits;
  const { default: fallback, output_kb: outputKb } = policy.limits;
  const limits: EffectiveLimits = {
    memory_mb: asked.memory_mb ?? fallback.memory_mb,
    max_runtime_seconds: isPod ? null : (asked.max_runtime_seconds ?? fallback.max_runtime_seconds),
    cpus: asked.cpus ?? fallback.cpus,
    pids: asked.pids ?? fallback.pids,
    output_bytes: outputKb * 1_024,
  };
  return { kind: 'admitted', limits, network };
}

type Runtime = JobRequest['runtime'];

function refuseMode({ mode, lifecycle }: Runtime, policy: JobPolicy): JobError | undefined {
  const code = 'RUNTIME_NOT_SUPPORTED';
  if (!policy.allowed_modes.includes(mode))
    return {
      code,
      message: `This agent runs no jobs of mode '${mode}'. Its allowed_modes: ${policy.allowed_modes.join(', ') || 'none'}.`,
    };
  if (lifecycle === 'pod' && policy.max_pods === 0)
    return { code, message: 'This agent runs no pods: its max_pods is 0.' };
  return undefined;
}

function refuseImage({ mode, image = '', build }: Runtime, policy: JobPolicy): JobError | undefined {
  const allowed = (reference: string): boolean => isImageAllowed(reference, policy.allowed_images);
  if (mode === 'build') return build === undefined ? undefined : checkDockerfile(build.dockerfile, allowed);
  if (allowed(image)) return undefined;
  const message = `The image '${image}' is not on this agent's allow list. Use another, or add it to allowed_images.`;
  return { code: 'IMAGE_NOT_ALLOWED', message };
}

function refuseLimits({ limits }: Runtime, policy: JobPolicy): JobError | undefined {
  for (const name of ['memory_mb', 'max_runtime_seconds', 'cpus', 'pids'] as const) {
    const asked = limits[name];
    const maximum = policy.limits.maximum[name];
    if (asked === undefined || asked <= maximum) continue;
    const message = `runtime.limits.${name} is ${asked}, and this agent grants at most ${maximum}. Ask for less, or raise limits.maximum.${name}.`;
    return { code: 'LIMIT_EXCEEDED', message };
  }
  return undefined;
}
