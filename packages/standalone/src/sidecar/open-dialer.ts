/** The way to Runtimes of a sidecar process: tokens are kept fresh, and never leave the machine in clear. */
import { createTokenKeeper, refuseClearTokens } from '@switchyard/identity';
import { type Log, type Secret, systemClock, systemRandom } from '@switchyard/kernel';
import { createMemoryLinkPair, type Link } from '@switchyard/protocol';
import { type CallRuntime, createRuntimeDialer, type DialRuntime } from '@switchyard/sidecar';
import type { Closers } from '../dev/closers.ts';
import { readCertificates } from '../runtime/read-files.ts';
import { renewOverHttp } from './renew-over-http.ts';
import { type SidecarProcessOptions, sidecarDefaults } from './sidecar-options.ts';

export interface RuntimeWay {
  readonly dial: DialRuntime;
  readonly callRuntime: CallRuntime;
  /** The newest token that follows one. */
  readonly freshest: (token: Secret) => Secret;
}

/** Rejects with RUNTIME_FILE_UNREADABLE and RUNTIME_TLS_INCOMPLETE. */
export async function openDialer(options: SidecarProcessOptions, log: Log, closers: Closers): Promise<RuntimeWay> {
  const { certificate, key, authority } = await readCertificates(options.runtimeTls, {
    certificate: '--client-certificate',
    key: '--client-key',
    authority: '--runtime-ca',
  });
  const tls = {
    ...(authority === undefined ? {} : { ca: authority }),
    ...(certificate === undefined || key === undefined ? {} : { certificate, key }),
  };
  const dialer = createRuntimeDialer({ clock: systemClock, log }, { tls });
  closers.add('streams to Runtimes', () => dialer.close(sidecarDefaults.streamGraceMs));
  const freshest = openKeeper(options, log, closers);
  const dial: DialRuntime = (endpoint, token) => {
    const refusal = token && refuseClearTokens(endpoint, { allow: options.allowClearTokens });
    if (refusal === undefined) return dialer.dial(endpoint, token && freshest(token));
    return createRefusedLink(refusal.definition.grpc, refusal.message);
  };
  const callRuntime: CallRuntime = async (call, { assignment: { runtimeEndpoint: endpoint, token } }) => {
    const refusal = token && refuseClearTokens(endpoint, { allow: options.allowClearTokens });
    if (refusal === undefined) return await dialer.call(endpoint, token && freshest(token), call);
    return { code: refusal.definition.grpc, message: refusal.message };
  };
  return { dial, callRuntime, freshest };
}

function openKeeper({ renewUrl }: SidecarProcessOptions, log: Log, closers: Closers): (token: Secret) => Secret {
  if (renewUrl === undefined) return (token) => token;
  const keeper = createTokenKeeper({
    clock: systemClock,
    random: systemRandom,
    log,
    renew: (token, signal) => renewOverHttp(fetch, renewUrl, token, signal),
  });
  closers.add('token', async () => keeper.close());
  return (token) => keeper.freshest(token);
}

/** A link that was never opened. */
function createRefusedLink(code: number, message: string): Link {
  const { opener, acceptor } = createMemoryLinkPair();
  acceptor.cancel({ code, message });
  return opener;
}
