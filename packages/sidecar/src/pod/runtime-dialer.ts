import type { Clock, Log } from '@switchyard/kernel';
import { createRpcChannel, type RpcChannel, type RpcChannelOptions, toBearerMetadata } from '@switchyard/protocol';
import type { DialRuntime } from '../sidecar/sidecar-contract.ts';

/** The way to Runtimes over the network. */
export interface RuntimeDialer {
  readonly dial: DialRuntime;
  /** Lets open streams end for at most `deadlineMs`, then ends them. */
  close(deadlineMs: number): Promise<void>;
}

/** Dials Runtimes; all sidecars of a pod host share one HTTP/2 connection per endpoint. */
export function createRuntimeDialer(
  deps: { readonly clock: Clock; readonly log: Log },
  options: Omit<RpcChannelOptions, 'endpoint'> = {},
): RuntimeDialer {
  const channels = new Map<string, RpcChannel>();
  const channelTo = (endpoint: string): RpcChannel => {
    const known = channels.get(endpoint);
    if (known !== undefined) return known;
    const channel = createRpcChannel(deps, { ...options, endpoint });
    channels.set(endpoint, channel);
    return channel;
  };
  return {
    dial: (endpoint, token) => channelTo(endpoint).eventStream({ metadata: toBearerMetadata(token) }),
    async close(deadlineMs) {
      await Promise.all([...channels.values()].map((channel) => channel.close(deadlineMs)));
    },
  };
}
