import { app } from '@azure/functions';

// From here on every HTTP function gets its request's body as a stream, and may answer with one. Bodies then have no limit
// of size, unless FUNCTIONS_REQUEST_BODY_SIZE_LIMIT sets one.
app.setup({ enableHttpStream: true });
