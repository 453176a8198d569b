import { app } from '@azure/functions';

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const tell = (name) => (request) => ({ jsonBody: { function: name, params: request.params } });
const route = (name, template, only = methods) =>
  app.http(name, { route: template, methods: only, authLevel: 'anonymous', handler: tell(name) });

const constraints = {
  int: '{x:int}',
  bool: '{x:bool}',
  datetime: '{x:datetime}',
  decimal: '{x:decimal}',
  double: '{x:double}',
  float: '{x:float}',
  guid: '{x:guid}',
  long: '{x:long}',
  minlength: '{x:minlength(3)}',
  maxlength: '{x:maxlength(3)}',
  length: '{x:length(3)}',
  lengths: '{x:length(2,4)}',
  min: '{x:min(10)}',
  max: '{x:max(10)}',
  range: '{x:range(5,7)}',
  alpha: '{x:alpha}',
  regex: '{x:regex(^k[0-9]+$)}',
  required: '{x:required}',
  chained: '{x:int:min(3):max(5)}',
};
for (const [name, template] of Object.entries(constraints))
  route(`constraint_${name}`, `constraint/${name}/${template}`);

route('shapeOptional', 'shape/optional/{x?}');
route('shapeOptionalInt', 'shape/optional-int/{x:int?}');
route('shapeDefault', 'shape/default/{x=blue}');
route('shapeRest', 'shape/rest/{*path}');
route('shapePair', 'shape/pair/{name}.{extension}');
route('shapeTwo', 'shape/two/{a}/and/{b}');
route('shapeCase', 'Shape/MixedCase/{Name}');
route('shapeSetting', 'shape/%KIT_ROUTE%/{x}');
route('shapeDeep', 'shape/a/b/c/d/e');

route('orderLiteral', 'order/literal');
route('orderInt', 'order/{x:int}');
route('orderAny', 'order/{x}');
route('orderRest', 'order/{*rest}');

route('methodGet', 'method/shared', ['GET']);
route('methodPost', 'method/shared', ['POST']);
route('methodDelete', 'method/delete-only', ['DELETE']);

app.http('named_byItself', { methods: ['GET'], authLevel: 'anonymous', handler: tell('named_byItself') });
app.http('underAdmin', { route: '/admin/mine', methods: ['GET'], authLevel: 'anonymous', handler: tell('underAdmin') });
app.http('twin_a', { route: 'twins/here', methods: ['GET'], authLevel: 'anonymous', handler: tell('twin_a') });
app.http('twin_b', { route: 'twins/here', methods: ['GET'], authLevel: 'anonymous', handler: tell('twin_b') });
for (const name of ['offByDots', 'offByBars', 'onByDots'])
  app.http(name, { methods: ['GET'], authLevel: 'anonymous', handler: tell(name) });

/** A kind that no host knows: it fails alone. */
app.generic('unknownKind', { trigger: { type: 'noSuchTrigger', name: 'x' }, handler: () => {} });
