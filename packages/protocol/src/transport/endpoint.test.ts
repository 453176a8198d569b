import { expect, it } from 'vitest';
import { parseEndpoint } from './endpoint.ts';

it.each([
  ['http://127.0.0.1:50051', { host: '127.0.0.1', port: 50051, secure: false }],
  ['http://127.0.0.1:50051/', { host: '127.0.0.1', port: 50051, secure: false }],
  ['localhost:7071', { host: 'localhost', port: 7071, secure: false }],
  ['https://runtime.example:8443', { host: 'runtime.example', port: 8443, secure: true }],
  ['https://runtime.example', { host: 'runtime.example', port: 443, secure: true }],
  ['http://[::1]:5000', { host: '::1', port: 5000, secure: false }],
])('reads %s', (text, endpoint) => {
  expect(parseEndpoint(text)).toEqual(endpoint);
});

it.each(['', 'http://', 'http://host:99999', 'ftp://host:1', 'unix:///tmp/x', 'host:port', 'http://host:0'])(
  "refuses '%s' and says how to write it",
  (text) => {
    expect(() => parseEndpoint(text)).toThrow(/http:\/\/host:port/);
  },
);

it('refuses credentials without repeating them', () => {
  expect(() => parseEndpoint('http://user:hunter2@host:1')).toThrow(/^((?!hunter2).)*metadata((?!hunter2).)*$/);
});
