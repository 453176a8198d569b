import { join, resolve } from 'node:path';
import { isTenantId } from '@switchyard/model';
import { controlScopes } from '@switchyard/protocol/control-words';
import type { TokenRequest } from '@switchyard/standalone/tokens';
import { type CommandContext, type CommandInput, defineCommand } from '../command.ts';
import { platformFolder } from '../control/platform-folder.ts';
import { cliErrors } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { choose } from '../scaffold/choices.ts';

const id = { kind: 'text', placeholder: 'ID' } as const;
const version = { kind: 'text', placeholder: 'VERSION' } as const;

const flags = {
  keys: {
    kind: 'text',
    placeholder: 'FOLDER',
    fallback: 'keys in .switchyard in the home folder',
    summary: 'signs with the keys in this folder; the first use makes one (~/.switchyard/keys)',
  },
  worker: { ...id, summary: 'the worker that the token is for, as its WORKER_ID says' },
  app: { ...id, summary: 'the app that the worker serves' },
  tenant: {
    ...id,
    summary: 'the tenant of the app (default); of a control token the only tenant that it sees (all when left out)',
  },
  'metadata-version': { ...version, summary: 'the metadata version of the app (1.0.0)' },
  'code-version': { ...version, summary: 'the code version of the app (1.0.0)' },
  language: { kind: 'text', placeholder: 'NAME', summary: "the worker's language; any when it is left out" },
  instance: { ...id, summary: 'the machine or pod, for certificates that have to carry it' },
  scope: { kind: 'list', placeholder: 'NAME', summary: 'what a control token may do; may be given many times (read)' },
} as const;

type TokenInput = CommandInput<typeof flags>;

const kinds = {
  worker: ['worker'],
  placeholder: ['placeholder'],
  assign: ['assign'],
  control: ['control'],
  jwks: ['jwks'],
} as const;

export const tokenCommand = defineCommand({
  name: 'token',
  summary: 'Prints a token for a worker, an assignment or the control API, or the public keys that verify them.',
  positional: {
    name: 'kind',
    summary: 'worker, placeholder, assign, control, or jwks for the public keys',
    maximum: 1,
    usage: '<kind>',
  },
  flags,
  examples: [
    'switchyard token jwks --keys ./keys > jwks.json',
    'switchyard token control --keys ./keys --tenant contoso --scope read --scope deploy',
    'switchyard token worker --keys ./keys --worker w1 --app shop --tenant contoso',
  ],
  run: async (input, context) => {
    const kind = choose<keyof typeof kinds>('kind', input.positionals[0], kinds);
    const request = kind === 'jwks' ? undefined : toRequest(kind, input);
    const { openTokens } = await import('@switchyard/standalone/tokens');
    const tokens = await openTokens(toFolder(input, context));
    const text = request === undefined ? JSON.stringify(tokens.publicKeys(), null, 2) : await tokens.issue(request);
    context.stdout.write(`${text}\n`);
    return exitCodes.done.code;
  },
});

/** What a control token may do, and whose. A scope that there is not would make a token that is refused everywhere. */
function toRights({ tenant, scope = ['read'] }: TokenInput['flags']) {
  const unknown = scope.find((one) => !controlScopes.some((known) => known === one));
  if (unknown !== undefined) {
    const problem = `There is no scope '${unknown}'. Use one of: ${controlScopes.join(', ')}.`;
    throw cliErrors.create('FLAG_INVALID', { problem });
  }
  return { tenants: tenant === undefined ? ('*' as const) : [toTenant(tenant)], scopes: scope };
}

function toTenant(tenant: string): string {
  if (isTenantId(tenant)) return tenant;
  const problem = `'${tenant}' is no name of a tenant. Use up to 40 lower-case letters, digits and hyphens.`;
  throw cliErrors.create('FLAG_INVALID', { problem });
}

function toFolder({ flags: { keys } }: TokenInput, context: CommandContext): string {
  return keys === undefined
    ? join(platformFolder(undefined, context), 'keys')
    : resolve(context.workingDirectory, keys);
}

function toRequest(kind: Exclude<keyof typeof kinds, 'jwks'>, { flags: given }: TokenInput): TokenRequest {
  const needed = (flag: 'worker' | 'app'): string => {
    const text = given[flag];
    if (text !== undefined && text !== '') return text;
    throw cliErrors.create('FLAG_INVALID', { problem: `A token of the kind '${kind}' needs --${flag}.` });
  };
  if (kind === 'control') return { kind, subject: 'operator', ...toRights(given) };
  if (kind === 'assign') return { kind, podId: needed('worker') };
  const worker = {
    workerId: needed('worker'),
    language: given.language ?? '',
    languageVersion: '',
    instanceId: given.instance ?? '',
  };
  if (kind === 'placeholder') return { kind, ...worker };
  const application = {
    applicationId: needed('app'),
    metadataVersion: given['metadata-version'] ?? '1.0.0',
    codeVersion: given['code-version'] ?? '1.0.0',
  };
  return { kind, ...worker, tenantId: toTenant(given.tenant ?? 'default'), application };
}
