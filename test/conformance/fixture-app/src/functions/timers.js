import { app } from '@azure/functions';
import { note } from '../notes.js';

const tell = (key) => (timer, context) => note(key, { timer, metadata: context.triggerMetadata });

app.timer('timerSecond', { schedule: '*/1 * * * * *', handler: tell('timer-second') });
app.timer('timerSpan', { schedule: '00:00:01', handler: tell('timer-span') });
app.timer('timerStart', { schedule: '0 0 0 1 1 *', runOnStartup: true, handler: tell('timer-start') });
app.timer('timerFive', { schedule: '0 0 1 1 *', handler: tell('timer-five') });
app.timer('timerSetting', { schedule: '%KIT_SCHEDULE%', handler: tell('timer-setting') });
app.timer('timerUnwatched', { schedule: '0 0 0 1 1 *', useMonitor: false, handler: tell('timer-unwatched') });
app.timer('timerBad', { schedule: 'every full moon', handler: tell('timer-bad') });
