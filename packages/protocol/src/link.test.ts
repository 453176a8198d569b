import { describeLinkContract } from './testing/link-contract.ts';
import { openSocketLinks } from './testing/socket-links.ts';
import { createMemoryLinkPair } from './transport/memory-link.ts';

describeLinkContract('the link over HTTP/2', (options) => openSocketLinks(options));
describeLinkContract('the link in memory', async (options) => ({
  ...createMemoryLinkPair(options),
  close: async () => {},
}));
