import type { HttpReply } from '@switchyard/triggers';

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Switchyard</title>
<p>This functions app is running. Call one of its functions.</p>
</html>
`;

/** What `/` answers where no function does; 204 when AzureWebJobsDisableHomepage asks for it. */
export function homePage(isDisabled: boolean): HttpReply {
  if (isDisabled) return { status: 204, headers: [], body: '' };
  return { status: 200, headers: [['Content-Type', 'text/html; charset=utf-8']], body: page };
}
