/**
 * The token of a kubeconfig's user of OpenID Connect, which is renewed by a token that the login has left there. It is done here since
 * the official client (2.0.1) cannot: it hands the issuer's address on in a form that its own library refuses.
 *
 * Source of the wire: OpenID Connect Discovery 1.0, sections 4 and 3; OpenID Connect Core 1.0, section 12.
 */
import { messageOf } from '@switchyard/kernel';
import type { HttpExchange, HttpReply } from '@switchyard/protocol/http-exchange';
import { z } from 'zod';
import { clusterErrors } from './errors.ts';
import type { Credential } from './kept-credential.ts';

export interface OpenIdOptions {
  /** `https://...`. */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly refreshToken: string | undefined;
  /** Who has signed the issuer's certificate; the authorities of the system when undefined. */
  readonly authority:
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'file'; readonly path: string }
    | undefined;
}

export interface OpenIdDeps {
  readonly exchange: HttpExchange;
  readonly readText: (path: string) => Promise<string>;
}

const timeoutMs = 12_000;

const discoverySchema = z.object({
  issuer: z.string(),
  token_endpoint: z.url({ protocol: /^https$/ }),
  token_endpoint_auth_methods_supported: z.array(z.string()).default(['client_secret_basic']),
});

const answerSchema = z.object({ id_token: z.string().min(1), refresh_token: z.string().min(1).optional() });

const failureSchema = z.object({ error: z.string(), error_description: z.string().optional() });

/** Fetches a token by each call. Rejects with CLUSTER_CREDENTIALS_MISSING. */
export function createOpenIdFetch(
  { exchange, readText }: OpenIdDeps,
  options: OpenIdOptions,
): () => Promise<Credential> {
  const { issuer, authority } = options;
  // An issuer may give another one with each token; the one before is worth nothing then.
  let { refreshToken } = options;
  const missing = (reason: string): Error =>
    clusterErrors.create('CLUSTER_CREDENTIALS_MISSING', { source: `the issuer '${issuer}'`, reason });
  const ask = async (request: Parameters<HttpExchange>[0]): Promise<HttpReply> => {
    const ca = authority?.kind === 'file' ? await readText(authority.path) : authority?.text;
    try {
      return await exchange({ ...request, timeoutMs, ...(ca === undefined ? {} : { connection: { ca } }) });
    } catch (thrown) {
      throw missing(messageOf(thrown));
    }
  };
  return async () => {
    if (refreshToken === undefined)
      throw missing('the token has expired, and there is none to renew it by (refresh-token)');
    const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const found = parseReply(
      discoverySchema,
      await ask({ method: 'GET', url, headers: { accept: 'application/json' } }),
    );
    if (found?.issuer !== issuer) throw missing('it does not describe itself');
    const reply = await ask(toRenewal(found, options, refreshToken));
    const answer = parseReply(answerSchema, reply);
    if (answer === undefined) throw missing(`it gives no token (status ${reply.status}${failureOf(reply)})`);
    refreshToken = answer.refresh_token ?? refreshToken;
    return toOpenIdCredential(answer.id_token);
  };
}

/** A token with the time of its end, which stands in it. */
export function toOpenIdCredential(token: string): Credential {
  return { token, certificate: undefined, key: undefined, expiresAtMs: expiryOf(token) };
}

function toRenewal(
  endpoint: z.infer<typeof discoverySchema>,
  { clientId, clientSecret }: OpenIdOptions,
  refreshToken: string,
): Parameters<HttpExchange>[0] {
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken });
  const headers = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' };
  const isBasic = endpoint.token_endpoint_auth_methods_supported.includes('client_secret_basic');
  if (clientSecret !== undefined && isBasic) {
    const pair = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`;
    const authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
    return { method: 'POST', url: endpoint.token_endpoint, headers: { ...headers, authorization }, body: `${form}` };
  }
  form.set('client_id', clientId);
  if (clientSecret !== undefined) form.set('client_secret', clientSecret);
  return { method: 'POST', url: endpoint.token_endpoint, headers, body: `${form}` };
}

function parseReply<T>(schema: z.ZodType<T>, { status, text }: HttpReply): T | undefined {
  if (status !== 200) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** The issuer's own words for a refusal, where it has some. */
function failureOf({ status, text }: HttpReply): string {
  const failure = parseReply(failureSchema, { status: status === 400 || status === 401 ? 200 : status, text });
  if (failure === undefined) return '';
  const { error, error_description: description } = failure;
  return `: ${error}${description === undefined ? '' : `, ${description}`}`.slice(0, 300);
}

/** 0 for what does not say: it is renewed by the first call. */
function expiryOf(token: string): number {
  try {
    const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return typeof exp === 'number' ? exp * 1_000 : 0;
  } catch {
    return 0;
  }
}
