import { describe, expect, it } from 'vitest';
import type { LaunchChange, RestartOutcome, SupervisorStatus } from './contract.ts';
import { answerWrapperRequest, type WrapperFace } from './wrapper-http.ts';

const status: SupervisorStatus = {
  state: 'running',
  pid: 42,
  starts: 1,
  restarts: 0,
  crashes: 0,
  launch: { executable: 'node', arguments: [], workerPath: 'worker.js' },
};

function open(outcome: RestartOutcome = { kind: 'accepted' }) {
  const asked: { reason: string; change: LaunchChange | undefined }[] = [];
  const graces: (number | undefined)[] = [];
  const wrapper: WrapperFace = {
    restart(reason, change) {
      asked.push({ reason, change });
      return Promise.resolve(outcome);
    },
    // It never ends: the answer must not wait for it.
    shutdown(graceMs) {
      graces.push(graceMs);
      return new Promise(() => {});
    },
    status: () => status,
  };
  const send = async (method: string, path: string, body: unknown = '') => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const reply = await answerWrapperRequest(wrapper, { method, path, body: text });
    return { ...reply, json: JSON.parse(reply.body) };
  };
  return { asked, graces, send };
}

describe('answerWrapperRequest', () => {
  it('restarts with a whole configuration, with a reason alone, and with nothing', async () => {
    const { asked, send } = open();
    const change = { executable: 'node20', arguments: ['--a', '--b'], workerPath: 'other.js' };
    expect(await send('POST', '/restart', { ...change, reason: 'arguments' })).toMatchObject({ status: 202 });
    expect(await send('POST', '/restart', { reason: 'because' })).toMatchObject({ json: { status: 'accepted' } });
    expect(await send('POST', '/restart')).toMatchObject({ status: 202 });
    expect(asked).toEqual([
      { reason: 'arguments', change },
      { reason: 'because', change: {} },
      { reason: '', change: {} },
    ]);
  });

  it('tells a restart that is under way from one that is refused', async () => {
    const busy = await open({ kind: 'in-progress' }).send('POST', '/restart');
    expect(busy).toMatchObject({ status: 409, json: { status: 'in-progress' }, headers: { 'retry-after': '1' } });
    const refused = await open({ kind: 'rejected', reason: 'it has ended' }).send('POST', '/restart');
    expect(refused).toMatchObject({ status: 409, json: { status: 'rejected', message: 'it has ended' } });
  });

  it.each([
    ['no JSON', '{', "'$' must be JSON"],
    ['a list', '[]', "'$' must be an object"],
    ['null', 'null', "'$' must be an object"],
    ['a number for the program', '{"executable":1}', "'executable' must be a text"],
    ['an empty program', '{"executable":""}', "'executable' is empty"],
    ['a text for the arguments', '{"arguments":"--a"}', "'arguments' must be a list of texts"],
    ['a number among the arguments', '{"arguments":["a",1]}', "'arguments' must be a list of texts"],
    ['a list for the path', '{"workerPath":[]}', "'workerPath' must be a text"],
    ['a null for the reason', '{"reason":null}', "'reason' must be a text"],
    ['an endless reason', JSON.stringify({ reason: 'x'.repeat(1_001) }), 'at most 1000 characters'],
    ['a misspelled key', '{"executeable":"x"}', "'executeable' must be left out"],
    ['a hostile key', '{"__proto__":{"executable":"x"}}', "'__proto__' must be left out"],
  ])('refuses %s', async (_name, body, message) => {
    const { asked, send } = open();
    const reply = await send('POST', '/restart', body);
    expect(reply).toMatchObject({ status: 400, json: { error: 'WRAPPER_REQUEST_INVALID' } });
    expect(reply.json.message).toContain(message);
    expect(asked).toEqual([]);
  });

  it('does not repeat a value that may be a secret', async () => {
    const { send } = open();
    const { body } = await send('POST', '/restart', { arguments: ['--password=hunter2\0'] });
    expect(body).toContain('null character');
    expect(body).not.toContain('hunter2');
  });

  it('shuts down at once, with a grace where one is named', async () => {
    const { graces, send } = open();
    expect(await send('POST', '/shutdown')).toMatchObject({ status: 202 });
    expect(await send('POST', '/shutdown', { graceMs: 500 })).toMatchObject({ status: 202 });
    for (const graceMs of [-1, 1.5, '1', 1e9]) {
      const reply = await send('POST', '/shutdown', { graceMs });
      expect(reply.json.message).toContain("'graceMs' must be a whole number");
    }
    expect(graces).toEqual([undefined, 500]);
  });

  it('shows the status', async () => {
    expect((await open().send('GET', '/status')).json).toEqual(status);
  });

  it('names the method or the path that there is', async () => {
    const { send } = open();
    expect(await send('GET', '/restart')).toMatchObject({ status: 405, headers: { allow: 'POST' } });
    expect((await send('GET', '/restart')).json.message).toBe('/restart takes POST, not GET.');
    expect(await send('DELETE', '/status')).toMatchObject({ status: 405, headers: { allow: 'GET' } });
    expect(await send('GET', '/')).toMatchObject({ status: 404, json: { error: 'WRAPPER_PATH_UNKNOWN' } });
  });
});
