import { describe, expect, it } from 'vitest';
import { readKubeconfig } from './read-kubeconfig.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const kubeconfig = (user: object, cluster: object = {}, more: object = {}): string =>
  JSON.stringify({
    'current-context': 'dev',
    contexts: [
      { name: 'other', context: { cluster: 'two', user: 'nobody' } },
      { name: 'dev', context: { cluster: 'one', user: 'me', namespace: 'shops' } },
    ],
    clusters: [{ name: 'one', cluster: { server: 'https://cluster.example:6443/', ...cluster } }],
    users: [
      { name: 'nobody', user: { exec: 'of another kind' } },
      { name: 'me', user },
    ],
    ...more,
  });

const read = (text: string) => {
  const { kubeconfig: taken, ...rest } = readKubeconfig(text, '/etc/kube/config');
  const { clusters, users } = JSON.parse(taken);
  return { ...rest, cluster: clusters[0].cluster, user: users[0].user };
};

const exec = { apiVersion: 'client.authentication.k8s.io/v1beta1', command: 'aws' };

describe('readKubeconfig', () => {
  it('takes the cluster and the user of the current context, in YAML', () => {
    const yaml = `
apiVersion: v1
kind: Config
current-context: dev
contexts:
- name: dev
  context: { cluster: one, user: me }
clusters:
- name: one
  cluster:
    server: https://cluster.example
    certificate-authority: ca.crt
    tls-server-name: kubernetes
users:
- name: me
  user:
    tokenFile: /var/token
`;
    expect(read(yaml)).toEqual({
      server: 'https://cluster.example',
      cluster: {
        server: 'https://cluster.example',
        'certificate-authority': '/etc/kube/ca.crt',
        'tls-server-name': 'kubernetes',
      },
      user: { 'auth-provider': { name: 'switchyard', config: {} } },
      credential: { kind: 'token-file', path: '/var/token' },
      files: ['/etc/kube/ca.crt', '/var/token'],
    });
  });

  it('takes what stands in the file before what it names', () => {
    const user = {
      ...{ 'client-certificate-data': base64('mine'), 'client-certificate': 'old.crt' },
      ...{ 'client-key-data': base64('secret'), 'client-key': 'old.key' },
    };
    const cluster = { 'certificate-authority-data': base64('theirs'), 'certificate-authority': 'old-ca.crt' };
    expect(read(kubeconfig(user, cluster))).toEqual({
      server: 'https://cluster.example:6443',
      cluster: { server: 'https://cluster.example:6443/', 'certificate-authority-data': base64('theirs') },
      user: { 'client-certificate-data': base64('mine'), 'client-key-data': base64('secret') },
      ...{ credential: undefined, files: [] },
    });
    expect(read(kubeconfig({ token: 'abc', exec }))).toMatchObject({ user: { token: 'abc' }, credential: undefined });
    const rotated = read(kubeconfig({ token: 'first', tokenFile: 'rotated' }));
    expect(rotated.credential).toEqual({ kind: 'token-file', path: '/etc/kube/rotated' });
    expect(rotated.user).not.toHaveProperty('token');
  });

  it('takes a program with what it is told, and leaves those of the official client to it', () => {
    const given = { ...exec, args: ['eks', 'get-token'], env: [{ name: 'A', value: 'b' }], installHint: 'Get it.' };
    expect(read(kubeconfig({ exec: given }))).toMatchObject({
      credential: {
        ...{ kind: 'program', program: 'aws', words: ['eks', 'get-token'], environment: { A: 'b' } },
        execInfo: JSON.stringify({ apiVersion: exec.apiVersion, kind: 'ExecCredential', spec: { interactive: false } }),
        installHint: 'Get it.',
      },
    });
    const programOf = (command: string) => read(kubeconfig({ exec: { ...exec, command } })).credential;
    expect(programOf('./bin/login')).toMatchObject({ program: '/etc/kube/bin/login' });
    expect(programOf('/opt/login')).toMatchObject({ program: '/opt/login' });
    const cluster = {
      'certificate-authority-data': base64('theirs'),
      extensions: [{ name: 'client.authentication.k8s.io/exec', extension: { shard: 'north' } }],
    };
    const told = read(kubeconfig({ exec: { ...exec, provideClusterInfo: true } }, cluster)).credential;
    expect(told?.kind === 'program' && JSON.parse(told.execInfo).spec).toEqual({
      interactive: false,
      cluster: {
        ...{ server: 'https://cluster.example:6443/', config: { shard: 'north' } },
        'certificate-authority-data': base64('theirs'),
      },
    });
    const azure = { 'auth-provider': { name: 'azure', config: { 'access-token': 'x' } } };
    expect(read(kubeconfig(azure))).toMatchObject({ user: azure, credential: undefined });
  });

  it('takes what a login of OpenID Connect has left', () => {
    const config = {
      ...{ 'idp-issuer-url': 'https://id.example', 'client-id': 'cli', 'client-secret': '', 'id-token': 'a.b.c' },
      ...{ 'refresh-token': 'again', 'idp-certificate-authority': 'idp.crt', extra: 'x' },
    };
    expect(read(kubeconfig({ 'auth-provider': { name: 'oidc', config } }))).toMatchObject({
      user: { 'auth-provider': { name: 'switchyard' } },
      credential: {
        ...{ kind: 'open-id', issuer: 'https://id.example', clientId: 'cli', clientSecret: undefined },
        ...{ idToken: 'a.b.c', refreshToken: 'again', authority: { kind: 'file', path: '/etc/kube/idp.crt' } },
      },
      files: ['/etc/kube/idp.crt'],
    });
  });

  it.each([
    ['what is no YAML', 'a: [s3cret', /it is not YAML/],
    ['a context that is not there', kubeconfig({}, {}, { contexts: [] }), /there is no context 'dev'/],
    ['a user that is not there', kubeconfig({}, {}, { users: [] }), /there is no user 'me'/],
    ['a server without TLS', kubeconfig({ token: 's3cret' }, { server: 'http://cluster' }), /such as https:/],
    ['a user without anything', kubeconfig({}), /neither a token nor a client certificate/],
    ['a program without a name', kubeconfig({ exec: { ...exec, command: '' } }), /users\.me\.exec\.command/],
    ['a program of another kind', kubeconfig({ exec: { ...exec, apiVersion: 'v9' } }), /client\.authentication/],
    [
      'an issuer without TLS',
      kubeconfig({ 'auth-provider': { name: 'oidc', config: { 'idp-issuer-url': 'http://id', 'client-id': 'c' } } }),
      /auth-provider\.config\.idp-issuer-url/,
    ],
    ['groups that would be left out', kubeconfig({ token: 's3cret', as: 'ann', 'as-groups': ['x'] }), /as-groups/],
    ['a certificate without its key', kubeconfig({ 'client-certificate': 'a.crt' }), /with its key/],
  ])('refuses %s', (_what, text, message) => {
    expect(() => read(text)).toThrow(message);
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'KUBECONFIG_INVALID' }));
    expect(() => read(text)).not.toThrow(/s3cret/);
  });
});
