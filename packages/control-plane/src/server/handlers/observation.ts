import type { ControlEvent, LogLine, TraceFrame } from '@switchyard/protocol/control-api';
import { type ControlHandlers, isOn, json, requireApplication } from '../control-call.ts';

/** Apps at work: the platform knows. */
export const observationHandlers: ControlHandlers<
  'getLogs' | 'invokeFunction' | 'traceApplication' | 'debugApplication'
> = {
  getLogs(call) {
    const { applicationId } = requireApplication(call);
    const { follow, tail, level } = call.query;
    const lines = call.deps.platform.logs(applicationId, { follow: isOn(follow), tail, level }, call.signal);
    return { kind: 'events', events: toLineEvents(lines) };
  },
  async invokeFunction(call) {
    const { applicationId } = requireApplication(call);
    return json(await call.deps.platform.invoke(applicationId, call.parameters.name, call.body, call.signal));
  },
  traceApplication(call) {
    const { applicationId } = requireApplication(call);
    const { worker } = call.query;
    const options = worker === undefined ? {} : { workerId: worker };
    return { kind: 'events', events: toFrameEvents(call.deps.platform.trace(applicationId, options, call.signal)) };
  },
  async debugApplication(call) {
    const { applicationId } = requireApplication(call);
    return json(await call.deps.platform.debug(applicationId, call.body, call.signal));
  },
};

async function* toLineEvents(lines: AsyncIterable<LogLine>): AsyncGenerator<ControlEvent, void, undefined> {
  for await (const data of lines) yield { name: 'line', data };
}

async function* toFrameEvents(
  frames: AsyncIterable<TraceFrame | { readonly dropped: number }>,
): AsyncGenerator<ControlEvent, void, undefined> {
  for await (const frame of frames) {
    if ('dropped' in frame) yield { name: 'dropped', data: { count: frame.dropped } };
    else yield { name: 'frame', data: frame };
  }
}
