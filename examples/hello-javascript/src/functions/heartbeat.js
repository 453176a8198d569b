import { app } from '@azure/functions';

// The schedule stands in local.settings.json: every minute.
app.timer('heartbeat', {
  schedule: '%HEARTBEAT_SCHEDULE%',
  handler: (timer, context) => {
    context.log(timer.isPastDue ? 'Alive, and a little late' : 'Alive');
  },
});
