import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { DebuggerPorts } from './debugger-ports.ts';

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

/** Where an inspector of a worker would listen: it says its name, and then what it is told. */
async function openInspector(name: string): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.write(name);
    socket.pipe(socket);
  });
  opened.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  await listen(server);
  return portOf(server);
}

async function listen(server: Server, port = 0): Promise<void> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

const definition = { applicationId: 'shop', metadataVersion: '1', codeVersion: '1' };

async function open(port = 0) {
  const notes: string[] = [];
  let heard = (): void => {};
  const ports = new DebuggerPorts({
    onNote: (applicationId, text) => {
      notes.push(`${applicationId}: ${text}`);
      heard();
    },
  });
  opened.push(ports);
  ports.open('shop', { host: '127.0.0.1', port, flag: '--inspect' });
  const nextNote = (): Promise<void> =>
    new Promise((resolve) => {
      heard = resolve;
    });
  /** A worker starts whose inspector listens there; resolves with the port that its line names. */
  const start = async (workerId: string, inspectorPort: number): Promise<number> => {
    const told = nextNote();
    ports.observe({ kind: 'expected', workerId, application: definition });
    const line = `Debugger listening on ws://127.0.0.1:${inspectorPort}/uuid-of-${workerId}`;
    ports.observe({ kind: 'console', workerId, stream: 'stderr', line });
    await told;
    return Number(/ws:\/\/[^/]*:(\d+)\//.exec(notes.at(-1) ?? '')?.[1]);
  };
  const exit = (workerId: string): void =>
    ports.observe({ kind: 'exited', workerId, exitCode: 0, signal: null, stderrTail: [] });
  return { ports, notes, nextNote, start, exit };
}

/** A debugger that connects; resolves with its socket and the first thing that it hears. */
async function attach(port: number): Promise<{ readonly socket: Socket; readonly name: string }> {
  const socket = connect(port, '127.0.0.1');
  opened.push({ close: () => socket.destroy() });
  socket.on('error', () => {});
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return { socket, name: chunk.toString() };
}

describe('DebuggerPorts', () => {
  it('I1: leads to the newest worker, both ways', async () => {
    const { ports, start } = await open();
    const port = await start('w1', await openInspector('one'));
    const { socket, name } = await attach(port);
    socket.write('evaluate');
    const [echo] = (await once(socket, 'data')) as [Buffer];
    expect([name, echo.toString(), ports.has('shop'), ports.has('other')]).toEqual(['one', 'evaluate', true, false]);
  });

  it('I1: closes connections while no inspector listens', async () => {
    const { start, exit } = await open();
    const port = await start('w1', await openInspector('one'));
    exit('w1');
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'close');
    expect(socket.destroyed).toBe(true);
  });

  it('I1, I2: a newer inspector takes over; when it ends, the older one is there again', async () => {
    const { start, exit } = await open();
    const port = await start('w1', await openInspector('one'));
    const first = await attach(port);
    const closed = once(first.socket, 'close');
    expect(await start('w2', await openInspector('two'))).toBe(port);
    await closed;
    const second = await attach(port);
    expect(second.name).toBe('two');
    const gone = once(second.socket, 'close');
    exit('w2');
    await gone;
    expect((await attach(port)).name).toBe('one');
  });

  it('I3: tells the address with the port that stays', async () => {
    const { notes, start } = await open();
    const port = await start('w1', await openInspector('one'));
    await start('w2', await openInspector('two'));
    expect(notes).toEqual([
      `shop: Debugger listening on ws://127.0.0.1:${port}/uuid-of-w1`,
      `shop: Debugger listening on ws://127.0.0.1:${port}/uuid-of-w2`,
    ]);
  });

  it('I4: says once that its port is taken, and then tells the workers’ own', async () => {
    const other = createServer();
    opened.push(other);
    await listen(other);
    const { ports, notes, nextNote, start } = await open(portOf(other));
    await nextNote();
    ports.open('shop', { host: '127.0.0.1', port: portOf(other), flag: '--inspect' });
    const own = await openInspector('one');
    expect(await start('w1', own)).toBe(own);
    expect(notes[0]).toContain(`Port ${portOf(other)} for the debugger cannot be had`);
    expect(notes).toHaveLength(2);
  });

  it('hears nothing of workers of other apps, and nothing but the inspector', async () => {
    const { ports, notes, exit } = await open();
    const application = { ...definition, applicationId: 'other' };
    ports.observe({ kind: 'expected', workerId: 'w1', application });
    const line = 'Debugger listening on ws://127.0.0.1:1/x';
    ports.observe({ kind: 'console', workerId: 'w1', stream: 'stderr', line });
    ports.observe({ kind: 'expected', workerId: 'w2', application: definition });
    ports.observe({ kind: 'console', workerId: 'w2', stream: 'stderr', line: 'hello' });
    ports.observe({ kind: 'console', workerId: 'w2', stream: 'stdout', line });
    exit('w1');
    await ports.close();
    expect(notes).toEqual([]);
  });
});
