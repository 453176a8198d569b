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
    users: [{ name: 'me', user }],
    ...more,
  });

const read = (text: string) => readKubeconfig(text, '/etc/kube/config');

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
      ...{ server: 'https://cluster.example', serverName: 'kubernetes' },
      authority: { kind: 'file', path: '/etc/kube/ca.crt' },
      token: { kind: 'file', path: '/var/token' },
      ...{ certificate: undefined, key: undefined },
    });
  });

  it('takes what stands in the file itself', () => {
    const user = { 'client-certificate-data': base64('mine'), 'client-key-data': base64('secret') };
    expect(read(kubeconfig(user, { 'certificate-authority-data': base64('theirs') }))).toMatchObject({
      server: 'https://cluster.example:6443',
      authority: { kind: 'text', text: 'theirs' },
      token: undefined,
      certificate: { kind: 'text', text: 'mine' },
      key: { kind: 'text', text: 'secret' },
    });
    expect(read(kubeconfig({ token: 'abc' })).token).toEqual({ kind: 'text', text: 'abc' });
  });

  it.each([
    ['what is no YAML', 'a: [s3cret', /it is not YAML/],
    ['a context that is not there', kubeconfig({}, {}, { contexts: [] }), /there is no context 'dev'/],
    ['a user that is not there', kubeconfig({}, {}, { users: [] }), /there is no user 'me'/],
    ['a server without TLS', kubeconfig({ token: 's3cret' }, { server: 'http://cluster' }), /such as https:/],
    ['a user without anything', kubeconfig({}), /neither a token nor a client certificate/],
    ['a user whose program fetches a token', kubeconfig({ exec: { command: 'x' } }), /\(exec\) are not run/],
    ['a certificate without its key', kubeconfig({ 'client-certificate': 'a.crt' }), /with its key/],
  ])('refuses %s', (_what, text, message) => {
    expect(() => read(text)).toThrow(message);
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'KUBECONFIG_INVALID' }));
    expect(() => read(text)).not.toThrow(/s3cret/);
  });
});
