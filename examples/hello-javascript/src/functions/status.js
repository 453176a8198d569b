import { app } from '@azure/functions';

// Asks for a function key when the host runs with --enable-auth.
// curl localhost:7071/api/status?code=<key>
app.http('status', {
  methods: ['GET'],
  authLevel: 'function',
  handler: () => ({ jsonBody: { node: process.versions.node, uptimeSeconds: Math.round(process.uptime()) } }),
});
