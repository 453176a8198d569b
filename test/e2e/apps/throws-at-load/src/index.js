import { app } from '@azure/functions';

if (process.env.SHOP_SETTINGS === undefined) throw new Error('the settings of the shop are missing');

app.http('never', { handler: () => ({ body: 'never' }) });
