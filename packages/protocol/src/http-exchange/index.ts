/** HTTP for adapters that speak to small APIs: of node agents, of Kubernetes. */
export {
  createHttpExchange,
  type HttpAsk,
  type HttpExchange,
  type HttpExchangeDeps,
  type HttpExchangeOptions,
  type HttpReply,
} from './http-exchange.ts';
export {
  type AskKubernetes,
  createAskKubernetes,
  type KubernetesAccess,
  type KubernetesAsk,
  kubernetesReasonOf,
} from './kubernetes.ts';
