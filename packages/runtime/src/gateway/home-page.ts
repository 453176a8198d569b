import type { HttpReply } from '@switchyard/triggers';

/** The empty icon keeps browsers from asking for one, which no app has. */
const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>Switchyard</title>
<p>This functions app is running. Call one of its functions.</p>
</html>
`;

/** What `/` answers where no function does; 204 when AzureWebJobsDisableHomepage asks for it. */
export function homePage(isDisabled: boolean): HttpReply {
  if (isDisabled) return { status: 204, headers: [], body: '' };
  return { status: 200, headers: [['Content-Type', 'text/html; charset=utf-8']], body: page };
}
