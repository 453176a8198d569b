/** AMQP over WebSockets, through a proxy where host.json names one (`webProxy`). */
import type { Secret } from '@switchyard/kernel';

/** Node's own sockets know no proxy, so that those of a library, which is loaded only then, go through it. */
export async function toWebSocketOptions(proxy: Secret | undefined) {
  if (proxy === undefined) return { webSocket: WebSocket };
  const [{ WebSocket: ProxiedSocket }, { HttpsProxyAgent }] = await Promise.all([
    import('ws'),
    import('https-proxy-agent'),
  ]);
  return {
    webSocket: ProxiedSocket,
    webSocketConstructorOptions: { agent: new HttpsProxyAgent(proxy.reveal()) },
  };
}
