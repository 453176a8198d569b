/** Gets the image of a task onto the machine: by name, by pulling, or by building. */
import { type JobError, parseImageReference, type ResolvedImage } from '@switchyard/protocol/job-api';
import type { TaskSource, TaskSpec } from '../contract.ts';
import { builtImageName, labelsOf } from './container-settings.ts';
import { type EngineClient, reasonOf, statusOf } from './engine-client.ts';
import { packTar, type TarEntry } from './tar-archive.ts';

/** The name to make a container from, or why there is none. */
export type Preparation =
  | { readonly kind: 'ready'; readonly image: string }
  | { readonly kind: 'failed'; readonly error: JobError };

type ImageSource = Extract<TaskSource, { kind: 'image' }>;
type BuildSource = Extract<TaskSource, { kind: 'build' }>;

/** A name that no context is likely to hold. */
const dockerfileName = '.switchyard.dockerfile';
const megabyte = 1024 * 1024;
const cpuPeriodMicros = 100_000;

/** Pulls an image. */
export async function pullImage(
  engine: EngineClient,
  { reference }: ImageSource,
  signal: AbortSignal,
): Promise<Preparation> {
  const failed = (reason: string): Preparation => {
    const message = `The image '${reference}' could not be pulled: ${reason}.`;
    return { kind: 'failed', error: { code: 'IMAGE_UNAVAILABLE', message } };
  };
  const parsed = parseImageReference(reference);
  if (parsed === undefined || parsed.repository === '') return failed('an id alone names no registry');
  const query = { fromImage: parsed.repository, tag: parsed.digest ?? parsed.tag };
  try {
    const call = {
      method: 'POST',
      path: '/images/create',
      query,
      signal,
      timeoutMs: Number.POSITIVE_INFINITY,
    } as const;
    const progress = await engine.progress(call);
    return progress.kind === 'done' ? { kind: 'ready', image: reference } : failed(progress.reason);
  } catch (error) {
    if (statusOf(error) === undefined) throw error;
    return failed(reasonOf(error));
  }
}

/** Builds the image of a task with the engine's own builder. */
export async function buildImage(
  engine: EngineClient,
  spec: TaskSpec,
  source: BuildSource,
  workerId: string,
  signal: AbortSignal,
): Promise<Preparation> {
  const failed = (reason: string, tail = ''): Preparation => {
    const message = `The Dockerfile could not be built: ${reason}.${tail === '' ? '' : ` The end of its output:\n${tail}`}`;
    return { kind: 'failed', error: { code: 'BUILD_FAILED', message } };
  };
  const image = builtImageName(workerId, spec.taskId);
  const query = {
    t: image,
    dockerfile: dockerfileName,
    rm: 1,
    forcerm: 1,
    networkmode: source.network,
    memory: spec.memoryMb * megabyte,
    memswap: spec.memoryMb * megabyte,
    cpuperiod: cpuPeriodMicros,
    cpuquota: Math.round(spec.cpus * cpuPeriodMicros),
    target: source.build.target,
    buildargs: JSON.stringify(source.build.args ?? {}),
    labels: JSON.stringify(labelsOf(workerId, spec.taskId)),
  };
  const tar = packTar(contextOf(source));
  try {
    const call = { method: 'POST', path: '/build', query, tar, signal, timeoutMs: Number.POSITIVE_INFINITY } as const;
    const progress = await engine.progress(call);
    return progress.kind === 'done' ? { kind: 'ready', image } : failed(progress.reason, progress.tail);
  } catch (error) {
    if (statusOf(error) === undefined) throw error;
    return failed(reasonOf(error));
  }
}

/** What the engine knows of an image. */
export async function resolveImage(engine: EngineClient, image: string, reference: string): Promise<ResolvedImage> {
  const path = `/images/${encodeURIComponent(image)}/json`;
  const answer = (await engine.send({ method: 'GET', path })) as {
    Id?: string;
    RepoDigests?: readonly string[] | null;
  };
  const digests = (answer.RepoDigests ?? []).map((entry) => entry.slice(entry.indexOf('@') + 1));
  return { reference, id: answer.Id ?? '', digest: digests[0] ?? null };
}

function contextOf({ build }: BuildSource): TarEntry[] {
  const files = Object.entries(build.context ?? {}).map(([path, file]) => {
    const content = typeof file === 'string' ? Buffer.from(file) : Buffer.from(file.base64, 'base64');
    return { path, content, mode: 0o755 };
  });
  return [...files, { path: dockerfileName, content: Buffer.from(build.dockerfile) }];
}
