import { app } from '@azure/functions';

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const tell = (name) => (request) => ({ jsonBody: { function: name, params: request.params } });
const route = (name, template, authLevel = 'anonymous') =>
  app.http(name, { route: template, authLevel, methods, handler: tell(name) });

/** One function for each constraint of a route parameter. */
const constraints = {
  int: '{x:int}',
  bool: '{x:bool}',
  datetime: '{x:datetime}',
  decimal: '{x:decimal}',
  double: '{x:double}',
  float: '{x:float}',
  guid: '{x:guid}',
  long: '{x:long}',
  minlength: '{x:minlength(2)}',
  maxlength: '{x:maxlength(3)}',
  length: '{x:length(3)}',
  lengths: '{x:length(2,4)}',
  min: '{x:min(10)}',
  max: '{x:max(10)}',
  range: '{x:range(5,7)}',
  alpha: '{x:alpha}',
  regex: '{x:regex(^x\\d+$)}',
  required: '{x:required}',
  chain: '{x:int:range(1,9)}',
  optional: '{x?}',
  optionalInt: '{x:int?}',
  fallback: '{x=seven}',
  rest: '{*x}',
  mixed: 'a{x}b.{y}',
};
for (const [name, template] of Object.entries(constraints)) route(name, `${name}/${template}`);

route('literal', 'prefer/literal');
route('number', 'prefer/{x:int}');
route('any', 'prefer/{x}');
route('everything', 'prefer/{*x}');
route('byName');
route('fromSetting', '%ROUTE_FROM_SETTING%');

app.http('onlyGet', { route: 'methods', methods: ['GET'], authLevel: 'anonymous', handler: tell('onlyGet') });
app.http('onlyPost', { route: 'methods', methods: ['POST'], authLevel: 'anonymous', handler: tell('onlyPost') });
app.http('takenRoute', { route: 'methods', methods: ['GET'], authLevel: 'anonymous', handler: tell('takenRoute') });
app.http('reservedRoute', { route: 'admin/mine', authLevel: 'anonymous', handler: tell('reservedRoute') });

for (const level of ['anonymous', 'function', 'admin']) route(`level-${level}`, `level/${level}`, level);
for (const name of ['off', 'alsoOff', 'notOff']) route(name, `disabled/${name}`);
