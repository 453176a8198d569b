/** HTTP for adapters that speak to small APIs, of node agents and of Kubernetes, and for the servers of such APIs. */
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
export { originForm } from './origin-form.ts';
