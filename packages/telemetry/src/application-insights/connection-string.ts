/** Whom the telemetry of an app is for. */
export interface InsightsConnection {
  /** A secret: it goes into what is sent, and nowhere else. */
  readonly instrumentationKey: string;
  /** Without a slash at the end. */
  readonly ingestionEndpoint: string;
  /** What a token is asked for, where the service wants one. */
  readonly tokenScope: string;
}

const publicEndpoint = 'https://dc.services.visualstudio.com';

/** The scope of the public cloud; the double slash is its own. */
const publicScope = 'https://monitor.azure.com//.default';

/** Undefined when it names no key, or an address that is none; `problem` says so, without its value. */
export type ParsedConnection =
  | { readonly kind: 'ok'; readonly connection: InsightsConnection }
  | { readonly kind: 'unusable'; readonly problem: string };

/**
 * Reads a connection string: `InstrumentationKey=...;IngestionEndpoint=https://...`, names in any case. Without an endpoint an
 * `EndpointSuffix`, with an optional `Location` before it, names one; without that it is the public cloud's.
 */
export function parseInsightsConnection(text: string): ParsedConnection {
  const parts = partsOf(text);
  const instrumentationKey = parts.get('instrumentationkey') ?? '';
  if (instrumentationKey === '') return { kind: 'unusable', problem: 'it names no InstrumentationKey' };
  const suffix = parts.get('endpointsuffix') ?? '';
  const location = parts.get('location') ?? '';
  const suffixed = suffix === '' ? publicEndpoint : `https://${location === '' ? '' : `${location}.`}dc.${suffix}`;
  const endpoint = parts.get('ingestionendpoint') || suffixed;
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol)) {
    return { kind: 'unusable', problem: 'its IngestionEndpoint is no http or https address' };
  }
  const audience = parts.get('aadaudience') ?? '';
  return {
    kind: 'ok',
    connection: {
      instrumentationKey,
      ingestionEndpoint: endpoint.replace(/\/+$/, ''),
      tokenScope: audience === '' ? publicScope : `${audience}/.default`,
    },
  };
}

/** Who shows a token to the service; without a client id it is the machine's own identity. */
export interface InsightsIdentity {
  readonly clientId: string | undefined;
}

/** Reads APPLICATIONINSIGHTS_AUTHENTICATION_STRING: `Authorization=AAD`, with `ClientId=...` or not. Undefined for anything else. */
export function parseInsightsIdentity(text: string): InsightsIdentity | undefined {
  const parts = partsOf(text);
  if (parts.get('authorization')?.toLowerCase() !== 'aad') return undefined;
  return { clientId: parts.get('clientid') || undefined };
}

/** `Name=value` with semicolons between, names in lower case. */
function partsOf(text: string): ReadonlyMap<string, string> {
  const parts = new Map<string, string>();
  for (const part of text.split(';')) {
    const equals = part.indexOf('=');
    if (equals > 0) parts.set(part.slice(0, equals).trim().toLowerCase(), part.slice(equals + 1).trim());
  }
  return parts;
}
