import { describe, expect, it } from 'vitest';
import { BlobWrites } from './blob-writes.ts';

describe('BlobWrites', () => {
  it('I1: tells the listeners of the container and no others, until they unsubscribe', () => {
    const writes = new BlobWrites();
    const heard: string[] = [];
    const stop = writes.subscribe('account', 'images', (blob) => heard.push(`a ${blob}`));
    writes.subscribe('account', 'images', (blob) => heard.push(`b ${blob}`));
    writes.subscribe('account', 'bills', (blob) => heard.push(`c ${blob}`));
    writes.subscribe('other', 'images', (blob) => heard.push(`d ${blob}`));
    writes.notify('account', 'images', '1');
    stop();
    stop();
    writes.notify('account', 'images', '2');
    writes.notify('account', 'nowhere', '3');
    expect(heard).toEqual(['a 1', 'b 1', 'b 2']);
  });
});
