/**
 * Decides whether a worker is who it says it is: its token against what it claims in StartStream or WorkerConnect.
 *
 * A verdict is about the moment: a stream lives on when its token ends, and the next stream needs a valid one.
 */
import { type LinkStatus, readBearerToken, readPeerCertificate, type WorkerClaims } from '@switchyard/protocol';
import { type TokenClaims, tokenScopes, type WorkerGrant } from '../claims/token-claims.ts';
import { type Refusal, refuse } from '../refusal.ts';
import type { TokenVerifier } from '../tokens/token-verifier.ts';

export type WorkerTokenVerdict =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly status: LinkStatus };

/** The shape of the Runtime's `VerifyWorker`. */
export type VerifyWorkerToken = (
  metadata: ReadonlyMap<string, string>,
  claims: WorkerClaims,
) => Promise<WorkerTokenVerdict>;

export interface WorkerVerifierOptions {
  /**
   * What the connection's client certificate must be: `ignored` (the default), `required` (any that the server's authority
   * signed), or `instance` (its common name is the instance id of the token, so a stolen token is of no use elsewhere).
   */
  readonly certificate?: 'ignored' | 'required' | 'instance';
}

/** Makes the check; `verifier` must be one for the audience `functions-runtime`. */
export function createWorkerVerifier(verifier: TokenVerifier, options: WorkerVerifierOptions = {}): VerifyWorkerToken {
  const certificate = options.certificate ?? 'ignored';
  return async (metadata, claims) => {
    const verdict = await verifier.verify(readBearerToken(metadata));
    const refusal =
      verdict.kind === 'refused'
        ? verdict
        : (compare(verdict.claims, claims) ?? compareCertificate(certificate, metadata, verdict.claims));
    if (!refusal) return { kind: 'accepted' };
    return { kind: 'refused', status: { code: refusal.status, message: refusal.reason } };
  };
}

/** Who makes a call beside the stream of a worker. */
export type WorkerCallVerdict =
  | { readonly kind: 'accepted'; readonly grant: WorkerGrant }
  | { readonly kind: 'refused'; readonly status: LinkStatus };

/** Says by its token which worker of which app makes a call; placeholders and all others are refused. */
export function createWorkerCallVerifier(
  verifier: TokenVerifier,
  options: WorkerVerifierOptions = {},
): (metadata: ReadonlyMap<string, string>) => Promise<WorkerCallVerdict> {
  const refused = ({ status: code, reason: message }: Refusal): WorkerCallVerdict => {
    return { kind: 'refused', status: { code, message } };
  };
  return async (metadata) => {
    const verdict = await verifier.verify(readBearerToken(metadata));
    if (verdict.kind === 'refused') return refused(verdict);
    const { claims } = verdict;
    if (claims.kind !== 'worker')
      return refused(refuse('TOKEN_KIND', { kind: claims.kind, expected: `a '${tokenScopes.worker}'` }));
    const refusal = compareCertificate(options.certificate ?? 'ignored', metadata, claims);
    return refusal === undefined ? { kind: 'accepted', grant: claims } : refused(refusal);
  };
}

/** What a placeholder may call itself. */
function isPlaceholderName(applicationId: string): boolean {
  return applicationId === '' || applicationId.startsWith('_Placeholder_');
}

function compare(token: TokenClaims, claims: WorkerClaims): Refusal | undefined {
  if (token.kind !== 'worker' && token.kind !== 'placeholder') {
    return refuse('TOKEN_KIND', { kind: token.kind, expected: "a worker's token" });
  }
  const identity = foreign('worker', token.workerId, claims.workerId) ?? compareLanguage(token.language, claims);
  if (identity) return identity;
  if (token.kind === 'worker') return compareApp(token, claims);
  const { applicationId } = claims.application;
  if (!claims.isPlaceholder || !isPlaceholderName(applicationId)) {
    return refuse('TOKEN_PLACEHOLDER', { claimed: applicationId });
  }
  return undefined;
}

function compareApp(token: WorkerGrant, claims: WorkerClaims): Refusal | undefined {
  const { applicationId, metadataVersion, codeVersion } = token.application;
  if (claims.isPlaceholder)
    return refuse('TOKEN_KIND', { kind: token.kind, expected: `a '${tokenScopes.placeholder}'` });
  return (
    foreign('app', applicationId, claims.application.applicationId) ??
    foreign('tenant', token.tenantId, claims.tenantId) ??
    foreign('metadata version', metadataVersion, claims.application.metadataVersion) ??
    foreign('code version', codeVersion, claims.application.codeVersion)
  );
}

/** A worker need not say its language; if it does, it is the token's. Versions are told in too many ways to compare. */
function compareLanguage(granted: string, { language }: WorkerClaims): Refusal | undefined {
  return granted === '' || language === '' ? undefined : foreign('language', granted, language);
}

function foreign(what: string, granted: string, claimed: string): Refusal | undefined {
  return granted === claimed ? undefined : refuse('TOKEN_FOREIGN', { what, granted, claimed });
}

function compareCertificate(
  rule: 'ignored' | 'required' | 'instance',
  metadata: ReadonlyMap<string, string>,
  token: TokenClaims,
): Refusal | undefined {
  if (rule === 'ignored') return undefined;
  const certificate = readPeerCertificate(metadata);
  if (!certificate) return refuse('CERTIFICATE_MISSING');
  const granted = 'instanceId' in token ? token.instanceId : '';
  if (rule === 'required' || (granted !== '' && certificate.commonName === granted)) return undefined;
  return refuse('CERTIFICATE_FOREIGN', { shown: certificate.commonName, granted });
}
