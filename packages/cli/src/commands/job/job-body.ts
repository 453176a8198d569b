/** From the command line to the body of `POST /jobs`. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { messageOf, systemRandom } from '@switchyard/kernel';
import { type JobRequestInput, jobProtocolVersion } from '@switchyard/protocol/job-api';
import type { CommandContext, FlagValues } from '../../command.ts';
import { readInput } from '../../control/read-input.ts';
import { jobErrors } from './errors.ts';
import type { jobFlags } from './job-flags.ts';

type Given = FlagValues<typeof jobFlags>;

/** Rejects with JOB_USAGE. What the agent checks itself is left to it. */
export async function toJobBody(
  cmd: readonly string[],
  given: Given,
  context: CommandContext,
  signal: AbortSignal,
): Promise<JobRequestInput> {
  if ((given.image === undefined) === (given.dockerfile === undefined))
    throw usage('Name what to run: --image IMAGE, or --dockerfile FILE, and not both.');
  const { timeout, memory } = given;
  const cpus = given.cpus === undefined ? undefined : toNumber(given.cpus);
  return {
    protocol_version: jobProtocolVersion,
    job_id: given.id ?? systemRandom.uuid(),
    task: {
      type: given.type ?? '',
      ...(given.payload === undefined ? {} : { payload: await readPayload(given.payload, context, signal) }),
    },
    labels: toPairs('label', given.label),
    runtime: {
      ...(await toSource(given, context)),
      cmd: [...cmd],
      env: toPairs('env', given.env),
      limits: {
        ...(memory === undefined ? {} : { memory_mb: memory }),
        ...(timeout === undefined ? {} : { max_runtime_seconds: timeout }),
        ...(cpus === undefined ? {} : { cpus }),
      },
      ...(given.network === undefined ? {} : { network: given.network }),
      ...(given.pull === undefined ? {} : { pull_policy: toPullPolicy(given.pull) }),
    },
  };
}

async function toSource(
  { image, dockerfile }: Given,
  { workingDirectory }: CommandContext,
): Promise<{ mode: 'image'; image: string } | { mode: 'build'; build: { dockerfile: string } }> {
  if (dockerfile === undefined) return { mode: 'image', image: image ?? '' };
  const path = resolve(workingDirectory, dockerfile);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw usage(`'${path}' cannot be read: ${messageOf(error)}. Name another file with --dockerfile.`);
  });
  return { mode: 'build', build: { dockerfile: text } };
}

async function readPayload(text: string, context: CommandContext, signal: AbortSignal): Promise<unknown> {
  const bytes = await readInput(text, context, signal);
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw usage(`The payload is no JSON: ${messageOf(error)}. Quote a plain text: --payload '"text"'.`);
  }
}

/** `NAME=VALUE` words by name; safe for any name. */
function toPairs(flag: string, words: readonly string[] | undefined): Record<string, string> {
  const pairs = (words ?? []).map((word): [string, string] => {
    const at = word.indexOf('=');
    if (at < 1) throw usage(`--${flag} needs NAME=VALUE, so it cannot be '${word}'.`);
    return [word.slice(0, at), word.slice(at + 1)];
  });
  return Object.fromEntries(pairs);
}

function toNumber(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  throw usage(`--cpus needs a number such as 0.5, so it cannot be '${text}'.`);
}

function toPullPolicy(text: string): 'always' | 'missing' | 'never' {
  if (text === 'always' || text === 'missing' || text === 'never') return text;
  throw usage(`--pull needs always, missing or never, so it cannot be '${text}'.`);
}

function usage(problem: string): Error {
  return jobErrors.create('JOB_USAGE', { problem });
}
