/**
 * Bindings that an app of the Node.js v4 model declares in its sources, found without running it.
 *
 * It reads the text alone, so what is put together at run time is not seen; whatever it sees stands there literally.
 */
import type { DeclaredBinding } from './app-facts.ts';

/** Methods of `app`, and the triggers that they stand for. */
const triggerMethods: ReadonlyMap<string, string> = new Map([
  ...['http', 'get', 'put', 'post', 'patch', 'deleteRequest'].map((name) => [name, 'httpTrigger'] as const),
  ['timer', 'timerTrigger'],
  ['storageQueue', 'queueTrigger'],
  ['storageBlob', 'blobTrigger'],
  ['eventGrid', 'eventGridTrigger'],
  ['eventHub', 'eventHubTrigger'],
  ['serviceBusQueue', 'serviceBusTrigger'],
  ['serviceBusTopic', 'serviceBusTrigger'],
  ['cosmosDB', 'cosmosDBTrigger'],
  ['sql', 'sqlTrigger'],
  ['mySql', 'mysqlTrigger'],
  ['webPubSub', 'webPubSubTrigger'],
  ['warmup', 'warmupTrigger'],
  ['orchestration', 'orchestrationTrigger'],
  ['activity', 'activityTrigger'],
  ['entity', 'entityTrigger'],
]);

/** Members of `input` and `output`, and the bindings that they stand for. */
const bindingMethods: ReadonlyMap<string, string> = new Map([
  ['storageQueue', 'queue'],
  ['storageBlob', 'blob'],
  ['table', 'table'],
  ['eventGrid', 'eventGrid'],
  ['eventHub', 'eventHub'],
  ['serviceBusQueue', 'serviceBus'],
  ['serviceBusTopic', 'serviceBus'],
  ['cosmosDB', 'cosmosDB'],
  ['sql', 'sql'],
  ['mySql', 'mysql'],
  ['http', 'http'],
]);

const callPattern = /\b(app|input|output)\s*(?:\.\s*timer)?\.\s*([A-Za-z]+)\s*\(/g;

/** How much of a source belongs to a call at most, in characters. */
const maxCallLength = 2_000;

/** The bindings that a source declares. */
export function sourceBindings(file: string, text: string): readonly DeclaredBinding[] {
  const calls = [...text.matchAll(callPattern)];
  return calls.flatMap((call, index): DeclaredBinding[] => {
    const [, object = '', method = ''] = call;
    const start = call.index;
    const end = Math.min(calls[index + 1]?.index ?? text.length, start + maxCallLength);
    const scope = text.slice(start, end);
    const methods = object === 'app' ? triggerMethods : bindingMethods;
    const type = methods.get(method) ?? (method === 'generic' ? genericType(scope) : undefined);
    if (type === undefined) return [];
    const role = object === 'app' ? 'trigger' : object === 'input' ? 'input' : 'output';
    const connection = /\bconnection(?:StringSetting)?\s*:\s*['"`]([^'"`]+)['"`]/.exec(scope)?.[1];
    const settingNames = [...scope.matchAll(/['"`][^'"`\n]*%([A-Za-z_][\w.:-]*)%/g)].map(([, name = '']) => name);
    return [{ where: file, type, role, connection, settingNames, raw: {} }];
  });
}

function genericType(scope: string): string | undefined {
  return /\btype\s*:\s*['"`]([A-Za-z]+)['"`]/.exec(scope)?.[1];
}
