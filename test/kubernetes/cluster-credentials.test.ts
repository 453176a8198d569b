/** The ways by which a real cluster is reached, through the official client, against an API server over TLS. */
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { ClusterApi } from '@switchyard/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSelfSigned } from '../../packages/protocol/src/testing/self-signed.ts';
import { type ClusterPlace, openCluster } from '../../packages/standalone/src/kubernetes/open-cluster.ts';
import { ScriptedApiServer, status } from './scripted-api-server.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const account = createSelfSigned('installation');

let server: ScriptedApiServer;
let folder: string;
beforeEach(async () => {
  server = await ScriptedApiServer.open({ clientAuthority: account.certificate });
  folder = await mkdtemp(join(tmpdir(), 'switchyard-cluster-'));
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const environment = { PATH: process.env.PATH, HOME: process.env.HOME };

async function write(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const open = (place: ClusterPlace, timeoutMs = 10_000): Promise<ClusterApi> =>
  openCluster({ place, namespace: 'shops', environment, timeoutMs });

async function openAs(user: object, timeoutMs?: number): Promise<ClusterApi> {
  const path = await write('kubeconfig', server.kubeconfig(user));
  return await open({ kind: 'kubeconfig', path }, timeoutMs);
}

const list = (cluster: ClusterApi) => cluster.list('pods', { labels: { app: 'shop' } });

/** A program that counts its runs, notes what it is told, and prints a credential. */
async function writeProgram(status: object): Promise<void> {
  const credential = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status };
  await write('credential.json', JSON.stringify(credential));
  const program = await write(
    'fetch-credential',
    `#!/bin/sh
cd "$(dirname "$0")" || exit 1
echo run >> runs
printf '%s' "$KUBERNETES_EXEC_INFO" > info
# Ends at once when nobody is there to type.
cat > typed
printf '%s %s' "$1" "$REGION" > words
cat credential.json
`,
  );
  await chmod(program, 0o755);
}

const program = (more: object = {}) => ({
  exec: {
    ...{ apiVersion: 'client.authentication.k8s.io/v1', command: './fetch-credential', args: ['get-token'] },
    ...{ env: [{ name: 'REGION', value: 'north' }], interactiveMode: 'IfAvailable', provideClusterInfo: true },
    ...more,
  },
});

/** Opens ways to servers by name, and remembers which. */
async function openProxy() {
  const asked: string[] = [];
  const proxy = createServer();
  const ways = new Set<Duplex>();
  proxy.on('connect', ({ url = '' }, inner: Duplex) => {
    asked.push(url);
    const { hostname, port } = new URL(`http://${url}`);
    const outer = connect(Number(port), hostname, () => {
      inner.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      inner.pipe(outer).pipe(inner);
    });
    for (const way of [inner, outer]) ways.add(way.on('error', () => way.destroy()));
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    asked,
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    close: async () => {
      for (const way of ways) way.destroy();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}

const runs = async (): Promise<number> => (await readFile(join(folder, 'runs'), 'utf8')).trim().split('\n').length;
const callers = (): readonly unknown[] => server.asked.map(({ authorization }) => authorization);

describe('openCluster, by a program that fetches credentials', () => {
  it('runs it once for a token that does not expire, and tells it of the cluster', async () => {
    await writeProgram({ token: 'fetched' });
    const cluster = await openAs(program());
    await Promise.all([list(cluster), list(cluster)]);
    await list(cluster);
    expect(callers()).toEqual(['Bearer fetched', 'Bearer fetched', 'Bearer fetched']);
    expect(await runs()).toBe(1);
    expect(JSON.parse(await readFile(join(folder, 'info'), 'utf8'))).toEqual({
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      spec: {
        interactive: false,
        cluster: { server: server.url, 'certificate-authority-data': base64(server.authority) },
      },
    });
    expect(await readFile(join(folder, 'words'), 'utf8')).toBe('get-token north');
  });

  it('runs it again when its token has expired, and when the cluster no longer takes it', async () => {
    await writeProgram({ token: 'old', expirationTimestamp: '2020-01-01T00:00:00Z' });
    const cluster = await openAs(program());
    await list(cluster);
    await writeProgram({ token: 'second', expirationTimestamp: '2999-01-01T00:00:00Z' });
    await list(cluster);
    await list(cluster);
    expect(await runs()).toBe(2);
    await writeProgram({ token: 'third' });
    server.otherwise = ({ authorization }) =>
      authorization === 'Bearer third'
        ? { status: 200, body: { items: [] } }
        : { status: 401, body: status('Unauthorized') };
    expect(await list(cluster)).toMatchObject({ kind: 'done' });
    expect(await runs()).toBe(3);
    expect(callers()).toEqual(['old', 'second', 'second', 'second', 'third'].map((token) => `Bearer ${token}`));
  });

  it('shows the certificate that it fetches', async () => {
    await writeProgram({ clientCertificateData: account.certificate, clientKeyData: account.key });
    await list(await openAs(program()));
    expect(server.asked).toMatchObject([{ caller: 'installation', authorization: undefined }]);
  });

  it.each([
    [
      'that is not there',
      { command: 'no-such-program', installHint: 'Install the tools of the cloud.' },
      /ENOENT.*Install the tools/,
    ],
    [
      'that fails',
      { command: 'sh', args: ['-c', 'echo session expired >&2; exit 3'] },
      /ended with 3: session expired/,
    ],
    ['that prints something else', { command: 'echo', args: ['s3cret-token'] }, /no ExecCredential/],
    [
      'that prints nothing of use',
      { command: 'echo', args: ['{"kind":"ExecCredential","status":{}}'] },
      /no ExecCredential/,
    ],
  ])('says what is wrong with one %s, and asks nothing', async (_what, more, message) => {
    const cluster = await openAs(program(more));
    const failure = await list(cluster).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ code: 'CLUSTER_CREDENTIALS_MISSING', message: expect.stringMatching(message) });
    expect(String(failure)).not.toContain('s3cret');
    expect(server.asked).toEqual([]);
  });

  it('does not wait for one that hangs beyond the deadline of the call', async () => {
    const cluster = await openAs(program({ command: 'sleep', args: ['2'] }), 200);
    await expect(list(cluster)).rejects.toThrow('no answer within 200 ms');
  });
});

describe('openCluster, by OpenID Connect', () => {
  const tokenOf = (issuer: string, expiresAt: number, name: string): string =>
    [{ alg: 'RS256' }, { iss: issuer, aud: 'cli', sub: 'ann', iat: 1_600_000_000, exp: expiresAt, name }, 'signature']
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');

  it('renews a token that has expired, once for its life', async () => {
    const issuer = await ScriptedApiServer.open();
    try {
      const renewed = tokenOf(issuer.url, 4_000_000_000, 'renewed');
      issuer.otherwise = ({ line }) =>
        line.endsWith('/.well-known/openid-configuration')
          ? { status: 200, body: { issuer: issuer.url, token_endpoint: `${issuer.url}/token` } }
          : {
              status: 200,
              body: {
                id_token: renewed,
                access_token: 'a',
                token_type: 'bearer',
                expires_in: 60,
                refresh_token: 'next',
              },
            };
      const cluster = await openAs({
        'auth-provider': {
          name: 'oidc',
          config: {
            ...{ 'client-id': 'cli', 'refresh-token': 'first', 'idp-issuer-url': issuer.url },
            'id-token': tokenOf(issuer.url, 1_600_000_001, 'old'),
            'idp-certificate-authority-data': base64(issuer.authority),
          },
        },
      });
      await list(cluster);
      await list(cluster);
      expect(callers()).toEqual([`Bearer ${renewed}`, `Bearer ${renewed}`]);
      expect(issuer.asked.map(({ line }) => line)).toEqual(['GET /.well-known/openid-configuration', 'POST /token']);
    } finally {
      await issuer.close();
    }
  });
});

describe('openCluster', () => {
  it('reads the token of the account that a pod has for every call, and again when it is not taken', async () => {
    const tokenFile = await write('token', 'first\n');
    const authorityFile = await write('ca.crt', server.authority);
    const inside = {
      ...environment,
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: new URL(server.url).port,
    };
    const cluster = await openCluster({
      place: { kind: 'server', authorityFile, credential: { tokenFile } },
      ...{ namespace: 'shops', environment: inside, timeoutMs: 10_000 },
    });
    await list(cluster);
    await write('token', 'rotated\n');
    await list(cluster);
    expect(callers()).toEqual(['Bearer first', 'Bearer rotated']);
    server.otherwise = () => ({ status: 401, body: status('Unauthorized') });
    expect(await list(cluster)).toEqual({ kind: 'refused', status: 401, reason: 'Unauthorized' });
    expect(callers()).toHaveLength(4);
  });

  it('takes a token of the kubeconfig, of a file that it names, or a name with a password', async () => {
    await write('token', 'of-a-file\n');
    for (const user of [{ token: 'of-the-file' }, { tokenFile: 'token' }, { username: 'ann', password: 'pw' }]) {
      await list(await openAs(user));
    }
    expect(callers()).toEqual(['Bearer of-the-file', 'Bearer of-a-file', `Basic ${base64('ann:pw')}`]);
  });

  it('shows a client certificate, in the kubeconfig or beside it, over one connection for many calls', async () => {
    await write('me.crt', account.certificate);
    await write('me.key', account.key);
    const inFile = { 'client-certificate-data': base64(account.certificate), 'client-key-data': base64(account.key) };
    const beside = { 'client-certificate': 'me.crt', 'client-key': 'me.key' };
    for (const user of [inFile, beside]) {
      const cluster = await openAs(user);
      for (let calls = 0; calls < 3; calls += 1) await list(cluster);
    }
    expect(server.asked.map(({ caller }) => caller)).toEqual(new Array(6).fill('installation'));
    expect(server.connections).toBe(2);
  });

  it('finds a server by the name of its certificate, through a proxy, and asks as somebody else', async () => {
    const named = await ScriptedApiServer.open({ names: ['kubernetes.default'] });
    const proxy = await openProxy();
    try {
      const path = await write(
        'kubeconfig',
        named.kubeconfig(
          { token: 'mine', as: 'robot' },
          { 'tls-server-name': 'kubernetes.default', 'proxy-url': proxy.url },
        ),
      );
      const cluster = await open({ kind: 'kubeconfig', path });
      expect(await list(cluster)).toMatchObject({ kind: 'done' });
      expect(named.asked).toMatchObject([{ authorization: 'Bearer mine', as: 'robot' }]);
      expect(proxy.asked).toEqual([new URL(named.url).host]);
    } finally {
      await proxy.close();
      await named.close();
    }
  });

  it('refuses a server that another authority has signed, and shows it no token', async () => {
    const path = await write(
      'kubeconfig',
      server.kubeconfig(
        { token: 's3cret' },
        { 'certificate-authority-data': base64(createSelfSigned('other').certificate) },
      ),
    );
    const failure = await list(await open({ kind: 'kubeconfig', path })).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ message: expect.stringMatching(/self-signed|certificate/) });
    expect(String(failure)).not.toContain('s3cret');
    expect(server.asked).toEqual([]);
  });

  it.each([
    ['a kubeconfig', { kind: 'kubeconfig', path: '/nowhere/config' } as const],
    ['a token', { kind: 'server', server: 'https://cluster', credential: { tokenFile: '/nowhere/token' } } as const],
  ])('names %s that cannot be read before anything is asked', async (_what, place) => {
    await expect(open(place)).rejects.toMatchObject({
      code: 'CLUSTER_FILE_UNREADABLE',
      message: expect.stringContaining('/nowhere/'),
    });
  });

  it('says that there is no cluster around this process', async () => {
    await expect(open({ kind: 'server' })).rejects.toMatchObject({ code: 'CLUSTER_NOT_INSIDE' });
  });
});
