import { describe, expect, it } from 'vitest';
import { readTrackAnswer, type TrackAnswer } from './track-answer.ts';

const read = (answer: Partial<TrackAnswer>) =>
  readTrackAnswer({ status: 200, retryAfter: undefined, body: '', ...answer }, 3, 1_000);

describe('readTrackAnswer', () => {
  it('takes 200 for everything', () => {
    expect(read({ body: 'no json' })).toEqual({ kind: 'taken', again: [], refused: 0, reason: '' });
  });

  it('sends those of a part again that the service had no time for', () => {
    const errors = [
      { index: 0, statusCode: 400, message: 'Field is too long' },
      { index: 1, statusCode: 429, message: 'Too much' },
      { index: 2, statusCode: 500 },
      { index: 9, statusCode: 500 },
      { index: 'x' },
      null,
    ];
    expect(read({ status: 206, body: JSON.stringify({ errors }) })).toEqual({
      kind: 'taken',
      again: [1, 2],
      refused: 1,
      reason: 'Field is too long; Too much; 500',
    });
    expect(read({ status: 206, body: '<html>' })).toMatchObject({ kind: 'taken', again: [], refused: 0 });
  });

  it.each([408, 429, 439, 500, 502, 503, 504])('sends everything again after %i', (status) => {
    expect(read({ status })).toEqual({ kind: 'again', reason: `it answered ${status}`, waitMs: 0 });
  });

  it.each([400, 401, 402, 403, 404, 413])('gives up after %i', (status) => {
    expect(read({ status })).toEqual({ kind: 'refused', reason: `it answered ${status}` });
  });

  it.each([
    ['7', 7_000],
    ['Thu, 01 Jan 1970 00:00:31 GMT', 30_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['86400', 600_000],
    ['soon', 0],
  ])('waits as long as %s says, within reason', (retryAfter, waitMs) => {
    expect(read({ status: 503, retryAfter })).toMatchObject({ waitMs });
  });
});
