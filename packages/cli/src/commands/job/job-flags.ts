/** The flags of `switchyard job`, and which of them each action takes. */

const count = { kind: 'integer', placeholder: 'N', minimum: 1 } as const;

export const jobFlags = {
  image: { kind: 'text', placeholder: 'IMAGE', summary: 'run: the image' },
  dockerfile: { kind: 'text', placeholder: 'FILE', summary: 'run: builds the image from this Dockerfile instead' },
  id: { kind: 'text', placeholder: 'ID', summary: 'run: the id of the job (a new one)' },
  type: {
    kind: 'text',
    placeholder: 'WORD',
    summary: 'run: the type of the task, which the program finds as JOB_TASK_TYPE',
  },
  payload: {
    kind: 'text',
    placeholder: 'JSON',
    summary: 'run: JSON for the program, on its stdin among other places; @FILE reads a file, @- stdin',
  },
  env: { kind: 'list', short: 'e', placeholder: 'NAME=VALUE', summary: 'run: a variable; may be given many times' },
  memory: { ...count, maximum: 16_777_216, placeholder: 'MB', summary: 'run: megabytes of memory' },
  timeout: { ...count, maximum: 31_536_000, placeholder: 'SECONDS', summary: 'run: seconds that it may run' },
  cpus: { kind: 'text', placeholder: 'NUMBER', summary: 'run: processors, such as 0.5' },
  network: { kind: 'text', placeholder: 'NAME', summary: 'run: the network, if the agent allows it (none)' },
  pull: { kind: 'text', placeholder: 'POLICY', summary: 'run: always, missing or never' },
  detach: { kind: 'switch', short: 'd', summary: 'run: prints the id and does not wait' },
  label: { kind: 'list', placeholder: 'NAME=VALUE', summary: 'run: a label of the job. ps: only jobs that have it' },
  state: { kind: 'text', placeholder: 'STATES', summary: 'ps: only queued, running, finished or failed ones' },
  limit: { ...count, maximum: 1_000, summary: 'ps: at most this many (100)' },
  follow: { kind: 'switch', short: 'f', summary: 'logs: goes on with what comes, until the job ends' },
  agent: {
    kind: 'text',
    placeholder: 'URL',
    summary: 'asks this agent (SWITCHYARD_AGENT_URL, or http://127.0.0.1:9000)',
  },
  'token-file': {
    kind: 'text',
    placeholder: 'FILE',
    summary: "takes the agent's token from here (SWITCHYARD_AGENT_TOKEN)",
  },
  'ca-file': { kind: 'text', placeholder: 'FILE', summary: 'trusts these authorities for an agent at https://' },
  json: { kind: 'switch', summary: 'ps, cancel, result: writes JSON' },
} as const;

export type JobAction = 'run' | 'ps' | 'logs' | 'cancel' | 'result';

/** Flags that only some actions take; the others are for all. */
export const flagsOfActions: Readonly<Record<JobAction, readonly string[]>> = {
  run: [
    ...['image', 'dockerfile', 'id', 'type', 'payload', 'env', 'memory', 'timeout', 'cpus', 'network', 'pull'],
    ...['detach', 'label'],
  ],
  ps: ['label', 'state', 'limit', 'json'],
  logs: ['follow'],
  cancel: ['json'],
  result: ['json'],
};

export const commonFlags: readonly string[] = ['agent', 'token-file', 'ca-file'];
