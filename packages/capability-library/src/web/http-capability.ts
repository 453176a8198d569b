import type { WebRequest } from '@switchyard/capabilities';
import type { CallContext, CapabilityInstance, CapabilityModule } from '../capability-module.ts';
import type { HttpResponse } from './http-client.ts';
import { asRequest } from './http-request.ts';
import { readJson } from './read-json.ts';
import type { WebDeps } from './web-capability.ts';
import { parseWebOptions } from './web-options.ts';

/** What `http` does, for callers in TypeScript. */
export interface Http {
  fetch(url: string, request?: WebRequest): PromiseLike<HttpResponse>;
  /** Fetches and reads JSON; fails when the answer is none. */
  fetchJson(url: string, request?: WebRequest): PromiseLike<{ status: number; url: string; json: unknown }>;
}

/** `http`, tier 1: the HTTP client of `web` without the tools, for those who need no more. */
export function createHttpCapability(deps: WebDeps): CapabilityModule {
  return {
    async create(settings): Promise<CapabilityInstance> {
      const options = parseWebOptions(settings);
      // The HTTP library is large, and this module is part of the broker's program: it is loaded when somebody asks.
      const [{ createGuardedAgent }, { fetchHttp }] = await Promise.all([
        import('./guarded-agent.ts'),
        import('./http-client.ts'),
      ]);
      const agent = createGuardedAgent(deps, options);
      const fetch = (call: CallContext, url: unknown, request: unknown): Promise<HttpResponse> =>
        fetchHttp({ clock: deps.clock, agent }, options, asRequest(call, url, request, options));
      const fetchJson = async (call: CallContext, url: unknown, request: unknown) =>
        readJson(await fetch(call, url, request));
      return { methods: { fetch, fetchJson }, dispose: () => agent.destroy() };
    },
  };
}
