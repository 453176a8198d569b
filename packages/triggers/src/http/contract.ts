/** What the gateway hands to the HTTP trigger, and what it gets back. */
import type { PlatformError } from '@switchyard/kernel';

/** Which of the worker's capabilities change how a request is mapped. */
export interface HttpCapabilities {
  readonly bodyOnly: boolean;
  readonly rawBodyBytes: boolean;
  readonly triggerMetadataRemoved: boolean;
  readonly ignoreEmptyHeaders: boolean;
  readonly nullableValues: boolean;
}

/** One request, read completely. */
export interface HttpTriggerRequest {
  readonly method: string;
  /** Absolute, as the caller addressed it. */
  readonly url: string;
  /** The query part of the url, without the question mark. */
  readonly search: string;
  /** Name and value alternate, in the order and spelling of the wire. */
  readonly rawHeaders: readonly string[];
  /** Route parameters; a missing optional one is undefined. */
  readonly params: ReadonlyMap<string, string | undefined>;
  /** Empty when the request had no body. */
  readonly body: Uint8Array;
  readonly signal: AbortSignal;
  /** True where a proxy in front vouches for the header `x-ms-client-principal`. */
  readonly trustsPrincipal?: boolean;
  /** The key that let the caller in; undefined where nobody asked for one, or none was shown. */
  readonly shownKey?: { readonly level: string; readonly name: string | undefined } | undefined;
}

/** One response, complete. */
export interface HttpReply {
  readonly status: number;
  /** In order; a name may stand there more than once (`set-cookie`). */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array | string;
  /** Why the function's answer could not be sent: the reply is a 500 then, and the gateway logs this. */
  readonly problem?: PlatformError;
}

/** Where the response of an HTTP function comes from. */
export interface HttpOutput {
  /** The `http` output binding's name, often `$return`; undefined when the function has none. */
  readonly name: string | undefined;
  /** The request's method, upper case. */
  readonly method: string;
  /** The request's `accept` header; only functions that ask for content negotiation need it. */
  readonly accept?: string;
}

/** The key a caller must show. */
export type AuthLevel = 'anonymous' | 'user' | 'function' | 'system' | 'admin';

/** An httpTrigger binding, parsed. */
export interface HttpTriggerOptions {
  /** The template under the prefix; the function's name when the binding has none. */
  readonly route: string;
  /** Upper case; empty means every method. */
  readonly methods: readonly string[];
  readonly authLevel: AuthLevel;
}
