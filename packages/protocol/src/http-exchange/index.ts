/** HTTP for adapters that speak to small APIs: of node agents, of Kubernetes. */
export {
  createHttpExchange,
  type HttpAsk,
  type HttpExchange,
  type HttpExchangeDeps,
  type HttpExchangeOptions,
  type HttpReply,
} from './http-exchange.ts';
