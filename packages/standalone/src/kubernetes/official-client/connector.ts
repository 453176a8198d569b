/** Whom a call believes and who makes it, by the official client's reading of a kubeconfig. */
import { Agent, type RequestOptions } from 'node:https';
import { KubeConfig, type User } from '@kubernetes/client-node';
import { ownProvider } from '../cluster-access.ts';
import type { CredentialSource } from '../credential-source.ts';

export interface Connection {
  readonly headers: Readonly<Record<string, string>>;
  readonly options: RequestOptions;
}

export interface Connector {
  /** Asked for every call: certificates and tokens change. Rejects when there is no credential to be had. */
  connect(): Promise<Connection>;
  /** The cluster has not taken the last credential. False when the next one would be the same. */
  forget(): boolean;
}

/** More calls at once wait for a connection. */
const maxConnections = 32;

/** Those in front of clusters cut what is idle for a minute. */
const idleMs = 30_000;

/**
 * @param kubeconfig of one context
 * @param credential what the own provider of the kubeconfig stands for, where it names that
 */
export function createConnector(kubeconfig: string, credential: CredentialSource | undefined): Connector {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  if (credential !== undefined) {
    config.addAuthenticator({
      isAuthProvider: (user: User) => user.authProvider?.name === ownProvider,
      async applyAuthentication(_user, options) {
        const { token, certificate, key } = await credential.credential();
        options.headers ??= {};
        if (token !== undefined) Object.assign(options.headers, { Authorization: `Bearer ${token}` });
        if (certificate !== undefined && key !== undefined) Object.assign(options, { cert: certificate, key });
      },
    });
  }
  // One for all calls: it keeps connections apart by the certificates that they show and believe.
  const agent = new Agent({ keepAlive: true, maxSockets: maxConnections, timeout: idleMs });
  const isProxied = config.getCurrentCluster()?.proxyUrl !== undefined;
  return {
    async connect() {
      const { headers = {}, ...options } = await applied(config);
      // The client's own agent opens a connection for every call; it alone knows the way through a proxy.
      return { headers: headers as Connection['headers'], options: isProxied ? options : { ...options, agent } };
    },
    forget: () => credential?.forget() ?? false,
  };
}

async function applied(config: KubeConfig): Promise<RequestOptions> {
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  return options;
}
