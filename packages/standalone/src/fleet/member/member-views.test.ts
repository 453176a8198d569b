import { createMemoryLinkPair, StreamingMessage } from '@switchyard/protocol';
import { createMemoryMeter } from '@switchyard/telemetry';
import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import type { InstallationNotes } from '../messages.ts';
import { MemberViews } from './member-views.ts';

const workerConnect = {
  ...{ workerId: 'w1', applicationId: 'shop', metadataVersion: 'm', codeVersion: 'c' },
  ...{ language: 'node', languageVersion: '24', workerCapabilities: new Map(), workerMetadata: undefined },
  ...{ functionMetadata: [], useDefaultMetadataIndexing: false, scriptRoot: '' },
};
const connect = StreamingMessage.encode({
  requestId: '',
  content: { $case: 'workerConnect', value: workerConnect },
}).finish();
const call = StreamingMessage.encode({ requestId: 'r1', content: { $case: 'workerHeartbeat', value: {} } }).finish();

async function open() {
  const clock = new VirtualClock();
  const sent: InstallationNotes['traced'][] = [];
  const state = { hasRoom: true };
  const meter = createMemoryMeter();
  const send = (frame: InstallationNotes['traced']): boolean => {
    if (state.hasRoom) sent.push(frame);
    return state.hasRoom;
  };
  const views = new MemberViews({ clock, log: createMemoryLog(clock), meter, send });
  const { opener, acceptor } = createMemoryLinkPair();
  const runtime = views.tap(acceptor);
  runtime.receive({ frame: () => {} });
  opener.receive({ frame: () => {} });
  opener.send(connect);
  await new Promise((resolve) => setImmediate(resolve));
  const told = () => sent.splice(0).map(({ frame, dropped }) => [frame.type, frame.workerId, dropped]);
  return { views, state, meter, runtime, told };
}

describe('MemberViews', () => {
  it('I1: sends the frames of an app while it is watched, and while the installation is there', async () => {
    const { views, runtime, told } = await open();
    runtime.send(call);
    views.watch('shop', true);
    views.watch('blog', true);
    runtime.send(call);
    // Said twice it is sent once.
    views.watch('shop', true);
    runtime.send(call);
    const frame = ['workerHeartbeat', 'w1', 0];
    expect(told()).toEqual([frame, frame]);
    views.watch('shop', false);
    runtime.send(call);
    views.watch('shop', true);
    views.leave();
    runtime.send(call);
    expect(told()).toEqual([]);
  });

  it('I2: counts what finds no room', async () => {
    const { views, state, runtime, told } = await open();
    views.watch('shop', true);
    state.hasRoom = false;
    runtime.send(call);
    runtime.send(call);
    state.hasRoom = true;
    runtime.send(call);
    runtime.send(call);
    expect(told().map(([, , dropped]) => dropped)).toEqual([2, 0]);
  });

  it('shows what was measured', async () => {
    const { views, meter } = await open();
    meter.count('calls_total', 3);
    expect(views.metrics().series).toMatchObject([{ name: 'calls_total', value: 3 }]);
  });
});
