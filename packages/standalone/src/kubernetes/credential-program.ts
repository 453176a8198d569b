/**
 * The program of a kubeconfig's user that fetches credentials (`exec`), as the clouds' command lines are: run when a credential is
 * wanted and none is at hand, told of the cluster in `KUBERNETES_EXEC_INFO`, read from what it prints.
 */
import { z } from 'zod';
import { clusterErrors } from './errors.ts';
import type { Credential } from './kept-credential.ts';

/** How a program ended. */
export type ProgramEnd =
  | { readonly kind: 'exited'; readonly code: number; readonly stdout: string; readonly stderr: string }
  | { readonly kind: 'not-started'; readonly reason: string }
  | { readonly kind: 'stopped'; readonly reason: string };

/** Runs a program without input. Never rejects. */
export type RunProgram = (
  program: string,
  words: readonly string[],
  options: { readonly environment: Readonly<Record<string, string>>; readonly timeoutMs: number },
) => Promise<ProgramEnd>;

export interface CredentialProgramOptions {
  readonly program: string;
  readonly words: readonly string[];
  /** On top of those of this process. */
  readonly environment: Readonly<Record<string, string>>;
  /** What it is told of the request: an `ExecCredential`, as JSON. */
  readonly execInfo: string;
  /** How to get it, in the words of the kubeconfig. */
  readonly installHint: string | undefined;
}

const timeoutMs = 25_000;

const credentialSchema = z.object({
  kind: z.literal('ExecCredential'),
  status: z
    .object({
      token: z.string().min(1).optional(),
      clientCertificateData: z.string().optional(),
      clientKeyData: z.string().optional(),
      expirationTimestamp: z.iso.datetime({ offset: true }).nullish(),
    })
    .refine(
      ({ token, clientCertificateData, clientKeyData }) =>
        token !== undefined || (clientCertificateData !== undefined && clientKeyData !== undefined),
    ),
});

/**
 * A run has a deadline and no terminal. Rejects with CLUSTER_CREDENTIALS_MISSING, in which nothing is of what it printed, and of its
 * complaints the end alone.
 */
export async function fetchByProgram(run: RunProgram, options: CredentialProgramOptions): Promise<Credential> {
  const { program, words, environment, execInfo, installHint } = options;
  const missing = (reason: string): Error =>
    clusterErrors.create('CLUSTER_CREDENTIALS_MISSING', { source: `the program '${program}'`, reason });
  const told = { ...environment, KUBERNETES_EXEC_INFO: execInfo };
  const end = await run(program, words, { environment: told, timeoutMs });
  if (end.kind === 'exited' && end.code === 0) {
    const credential = parseCredential(end.stdout);
    if (credential !== undefined) return credential;
    throw missing('what it printed is no ExecCredential with a token or certificate');
  }
  if (end.kind === 'exited') throw missing(`it ended with ${end.code}${complaintOf(end.stderr)}`);
  const hint = end.kind === 'stopped' || installHint === undefined ? '' : `; ${installHint.trim().slice(0, 300)}`;
  throw missing(`${end.reason}${hint}`);
}

function parseCredential(text: string): Credential | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const reading = credentialSchema.safeParse(value);
  if (!reading.success) return undefined;
  const { token, clientCertificateData, clientKeyData, expirationTimestamp } = reading.data.status;
  return {
    ...{ token, certificate: clientCertificateData, key: clientKeyData },
    expiresAtMs: expirationTimestamp == null ? Number.POSITIVE_INFINITY : Date.parse(expirationTimestamp),
  };
}

/** The end of what a program says of its failure, without what looks like a token. */
function complaintOf(stderr: string): string {
  const text = stderr.trim().replaceAll(/[\w+/=.-]{40,}/g, '***');
  return text === '' ? '' : `: ${text.slice(-300)}`;
}
