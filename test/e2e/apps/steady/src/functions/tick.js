import { app } from '@azure/functions';

app.timer('tick', {
  schedule: '%TICK_SCHEDULE%',
  handler: (timer, context) => context.log(`ticked, past due: ${timer.isPastDue}`),
});
