/** The Event Grid output: what a function gives is published to a topic. */
import { isPlatformError, messageOf, Secret, withDeadline } from '@switchyard/kernel';
import { isJsonObject, type JsonObject, resolveConnection } from '@switchyard/model';
import type { TypedData } from '@switchyard/protocol';
import type { BindingContext, BindingScope, OutputBindingKind } from '../contract.ts';
import { isTlsAddress, readIdentity } from '../identity/identity-settings.ts';
import { fromTypedData } from '../typed-data.ts';
import { eventGridErrors } from './errors.ts';
import type { EventPublisher, TopicAccess } from './event-publisher.ts';

export interface EventGridOutputOptions {
  readonly endpoint: string;
  readonly access: TopicAccess;
  /** The app setting that says what opens the topic. */
  readonly setting: string;
}

/** How long a topic may take to answer. */
const publishMs = 30_000;

/** Makes the output. Events of Event Grid's own schema get the id and the time that they lack. */
export function createEventGridOutput(deps: {
  readonly publisher: EventPublisher;
}): OutputBindingKind<EventGridOutputOptions> {
  return {
    type: 'eventGrid',
    parse(binding, scope) {
      const missing = (problem: string): Error => {
        const details = { function: scope.function.name, binding: binding.name, problem };
        return eventGridErrors.create('EVENT_GRID_TOPIC_MISSING', details);
      };
      const { raw, connection } = binding;
      const { settings } = scope;
      if (connection !== undefined && connection !== '') return readByIdentity(connection, settings, missing);
      const read = (key: 'topicEndpointUri' | 'topicKeySetting'): readonly [setting: string, value: string] => {
        const setting = raw[key];
        if (typeof setting !== 'string' || setting === '') throw missing(`"${key}" is missing`);
        const value = settings.get(setting.replaceAll('%', ''));
        if (value === undefined || value === '') throw missing(`the app setting '${setting}' is missing`);
        return [setting, value];
      };
      const [endpointSetting, endpoint] = read('topicEndpointUri');
      const [keySetting, key] = read('topicKeySetting');
      if (!URL.canParse(endpoint)) throw missing(`the app setting '${endpointSetting}' is no address`);
      return { endpoint, access: { kind: 'key', key: new Secret(key) }, setting: keySetting };
    },
    async write(options, value, _bindingData, context) {
      const events = toEvents(value, context);
      if (events.length === 0) return;
      await publish(deps.publisher, options, events, context);
    },
  };
}

/** The members of a connection: the topic's address, and whose tokens open it. */
function readByIdentity(
  name: string,
  settings: BindingScope['settings'],
  missing: (problem: string) => Error,
): EventGridOutputOptions {
  const found = resolveConnection(settings, name);
  if (found.kind !== 'identity') throw missing(`the app setting '${name}__topicEndpointUri' is missing`);
  const { members, settingName: setting } = found;
  const endpoint = members.get('topicendpointuri')?.reveal() ?? '';
  if (!isTlsAddress(endpoint)) {
    throw missing(
      `the app setting '${setting}__topicEndpointUri' is no https address, and tokens travel over TLS alone`,
    );
  }
  const read = readIdentity(members, settings);
  if (read.kind === 'invalid') throw missing(`the identity '${setting}' cannot be used: ${read.problem}`);
  return { endpoint, access: { kind: 'identity', identity: read.identity }, setting };
}

async function publish(
  publisher: EventPublisher,
  { endpoint, access, setting }: EventGridOutputOptions,
  events: readonly JsonObject[],
  { functionName, clock }: BindingContext,
): Promise<void> {
  const failed = (reason: string, cause?: unknown): Error => {
    const { host } = new URL(endpoint);
    const details = { function: functionName, host, reason, setting };
    return eventGridErrors.create('EVENT_GRID_PUBLISH_FAILED', details, cause);
  };
  const abort = new AbortController();
  const topic = { endpoint, access, isCloudEvents: events.every(isCloudEvent) };
  const sending = publisher.publish(topic, JSON.stringify(events), abort.signal);
  try {
    const { status } = await withDeadline(clock, publishMs, sending, () => failed(`no answer in ${publishMs} ms`));
    if (status < 200 || status > 299) throw failed(`it answered ${status}`);
  } catch (thrown) {
    if (isPlatformError(thrown)) throw thrown;
    throw failed(messageOf(thrown), thrown);
  } finally {
    abort.abort();
  }
}

/** The events in a value: an object is one, a list is several, and texts are read as JSON. */
function toEvents(value: TypedData, context: BindingContext): readonly JsonObject[] {
  const given = fromTypedData(value);
  if (given === undefined || given === null) return [];
  const parsed = typeof given === 'string' ? parse(given) : given;
  const events = (Array.isArray(parsed) ? parsed : [parsed]).map((item) =>
    typeof item === 'string' ? parse(item) : item,
  );
  if (!events.every(isJsonObject)) {
    const details = { function: context.functionName, problem: 'it is no object' };
    throw eventGridErrors.create('EVENT_GRID_EVENT_INVALID', details);
  }
  return events.map((event) => complete(event, context));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function complete(event: JsonObject, { clock, random }: BindingContext): JsonObject {
  const time = new Date(clock.now()).toISOString();
  if (isCloudEvent(event)) return { id: random.uuid(), time, ...event };
  return { id: random.uuid(), eventTime: time, dataVersion: '1.0', ...event };
}

function isCloudEvent(event: JsonObject): boolean {
  return typeof event.specversion === 'string';
}
