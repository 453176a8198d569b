/** Who gives tokens out, as Microsoft Entra ID does, for tests: to anybody. */
import { createServer, type Server } from 'node:https';

export const tenantId = '00000000-0000-4000-8000-000000000001';

/** What asked for a token. */
export interface TokenRequest {
  readonly path: string;
  readonly client: string | null;
  readonly secret: string | null;
  readonly scope: string | null;
}

/** What Microsoft Entra ID says to an application that shows its secret. */
export function openAuthority(tls: { readonly cert: string; readonly key: string }, asked: TokenRequest[]): Server {
  return createServer(tls, (request, response) => {
    const { host } = request.headers;
    const path = request.url?.split('?')[0] ?? '';
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const reply = (body: object): void => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(body));
      };
      const base = `https://${host}/${tenantId}`;
      if (path.endsWith('openid-configuration')) {
        reply({
          issuer: `${base}/v2.0`,
          authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
          token_endpoint: `${base}/oauth2/v2.0/token`,
          end_session_endpoint: `${base}/oauth2/v2.0/logout`,
          jwks_uri: `${base}/discovery/v2.0/keys`,
        });
        return;
      }
      const form = new URLSearchParams(Buffer.concat(chunks).toString());
      const [client, secret, scope] = ['client_id', 'client_secret', 'scope'].map((name) => form.get(name));
      asked.push({ path, client: client ?? null, secret: secret ?? null, scope: scope ?? null });
      reply({ token_type: 'Bearer', expires_in: 3_599, access_token: token() });
    });
  });
}

/** A token that the emulator takes: it looks at the claims, and not at the signature. */
export function token(): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const [from, until] = [1_600_000_000, 4_000_000_000];
  const claims = {
    aud: 'https://storage.azure.com',
    iss: `https://sts.windows.net/${tenantId}/`,
    iat: from,
    nbf: from,
    exp: until,
  };
  return `${part({ alg: 'none', typ: 'JWT' })}.${part(claims)}.${Buffer.from('none').toString('base64url')}`;
}
