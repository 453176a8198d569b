import { describe, expect, it } from 'vitest';
import { takeInspectArguments } from './inspect-arguments.ts';

describe('takeInspectArguments', () => {
  it.each([
    [['--inspect'], '127.0.0.1', 9229, '--inspect'],
    [['--inspect=9300'], '127.0.0.1', 9300, '--inspect'],
    [['--inspect=0.0.0.0:9300'], '0.0.0.0', 9300, '--inspect'],
    [['--inspect=[::1]:9300'], '::1', 9300, '--inspect'],
    [['--inspect=localhost'], 'localhost', 9229, '--inspect'],
    [['--inspect-brk=9301'], '127.0.0.1', 9301, '--inspect-brk'],
    [['--inspect-wait'], '127.0.0.1', 9229, '--inspect-wait'],
    [['--inspect-port=9302', '--inspect'], '127.0.0.1', 9302, '--inspect'],
    [['--inspect', '--debug-port=9303'], '127.0.0.1', 9303, '--inspect'],
  ])('%j asks for %s:%i', (given, host, port, flag) => {
    expect(takeInspectArguments([...given, '--trace-warnings'])).toEqual({
      request: { host, port, flag },
      others: ['--trace-warnings'],
    });
  });

  it.each([[[]], [['--trace-warnings']], [['--inspector-like']]])('%j asks for none', (given) => {
    expect(takeInspectArguments(given)).toEqual({ request: undefined, others: given });
  });
});
