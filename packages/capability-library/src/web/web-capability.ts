import type { Web, WebRequest } from '@switchyard/capabilities';
import type { Clock } from '@switchyard/kernel';
import type { CallContext, CapabilityInstance, CapabilityModule } from '../capability-module.ts';
import { valueAt } from '../json/json-pointer.ts';
import { asInteger, asText, refuseParameter, shorten } from '../parameters.ts';
import type { GuardedAgentDeps } from './guarded-agent.ts';
import { sanitiseHtml } from './html-sanitise.ts';
import { type FoundElement, selectHtml } from './html-select.ts';
import { htmlToText, linksOf } from './html-text.ts';
import { maxHtmlLength } from './html-tree.ts';
import { createHttpCapability } from './http-capability.ts';

/** What `web` does beyond the list that every client knows. */
export interface WebTools extends Web {
  /** Fetches and reads JSON; fails when the answer is none. */
  fetchJson(url: string, request?: WebRequest): PromiseLike<{ status: number; url: string; json: unknown }>;
  /** The elements that a simple selector means. */
  select(html: string, selector: string, limit?: number): PromiseLike<FoundElement[]>;
  /** HTML from anybody, made safe to show. */
  sanitise(html: string): PromiseLike<string>;
}

export interface WebDeps extends GuardedAgentDeps {
  readonly clock: Clock;
}

const maxFound = 1_000;
const maxAddressLength = 8_192;

/** `web`: HTTP to public addresses, with limits, and tools for HTML and JSON. */
export function createWebCapability(deps: WebDeps): CapabilityModule {
  const http = createHttpCapability(deps);
  return {
    async create(settings): Promise<CapabilityInstance> {
      const { methods, ...rest } = await http.create(settings);
      return { ...rest, methods: { ...methods, ...tools } };
    },
  };
}

const page = (value: unknown): string => asText(value, 'The HTML', maxHtmlLength);

const tools = {
  htmlToText: (_call: CallContext, html: unknown): string => htmlToText(page(html)),
  links: (_call: CallContext, html: unknown, base: unknown): string[] => linksOf(page(html), asBase(base)),
  select: (_call: CallContext, html: unknown, selector: unknown, limit: unknown): FoundElement[] =>
    selectHtml(page(html), asText(selector, 'The selector'), asInteger(limit ?? maxFound, 'The limit', 1, maxFound)),
  sanitise: (_call: CallContext, html: unknown): string => sanitiseHtml(page(html)),
  jsonPointer: (_call: CallContext, json: unknown, pointer: unknown): unknown =>
    valueAt(json, asText(pointer, 'The pointer')),
};

function asBase(value: unknown): string {
  const base = asText(value, 'The base', maxAddressLength);
  if (!URL.canParse(base)) refuseParameter('The base', `'${shorten(base)}' is no address`);
  return base;
}
