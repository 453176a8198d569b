import type { Clock, Log, Secret } from '@switchyard/kernel';
import {
  createRpcChannel,
  type RpcChannel,
  type RpcChannelOptions,
  type RuntimeCall,
  toBearerMetadata,
  type UnaryReply,
} from '@switchyard/protocol';
import type { DialRuntime } from '../sidecar/sidecar-contract.ts';

/** The way to Runtimes over the network. */
export interface RuntimeDialer {
  readonly dial: DialRuntime;
  /** Calls a unary method, on the connection of the streams. Never rejects. */
  call(endpoint: string, token: Secret | undefined, call: RuntimeCall): Promise<UnaryReply>;
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
    async call(endpoint, token, { path, request, signal }) {
      const outcome = await channelTo(endpoint).unary(path, request, { metadata: toBearerMetadata(token), signal });
      if (outcome.kind === 'answered') return outcome.message;
      return { code: outcome.status.code, message: outcome.status.message };
    },
    async close(deadlineMs) {
      await Promise.all([...channels.values()].map((channel) => channel.close(deadlineMs)));
    },
  };
}
