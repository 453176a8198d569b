/** HTTP for adapters that speak to small APIs, and for the servers of such APIs. */
export {
  createHttpExchange,
  type HttpAsk,
  type HttpExchange,
  type HttpExchangeDeps,
  type HttpExchangeOptions,
  type HttpReply,
} from './http-exchange.ts';
export { originForm } from './origin-form.ts';
