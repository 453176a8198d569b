/** Everything that can be wrong with what an app says of itself. */
import { defineErrors, type ErrorDefinition } from '@switchyard/kernel';

/** The app's author has to change a file or a setting; trying again does not help. */
function appError(message: string): ErrorDefinition {
  return { blame: 'user', retry: 'never', http: 400, grpc: 3, exit: 2, message };
}

export const modelErrors = defineErrors({
  JSON_INVALID: appError(
    '{where} is not valid JSON: {problem} (line {line}, column {column}). Correct the text at that place.',
  ),

  FUNCTION_NAME_INVALID: appError(
    '{where}: "{name}" cannot be the name of a function: {problem}. ' +
      'Use letters, digits, "_" and "-", a letter first, at most 128 characters.',
  ),
  FUNCTION_JSON_INVALID: appError('{where}: "{key}" is {value} and must be {expected}. Correct it in that file.'),
  FUNCTION_INDEX_FAILED: appError(
    "The worker could not index {where}: {message}. Correct the function's registration.",
  ),
  FUNCTION_TWICE: appError(
    'The function "{name}" has the name or id of "{first}"; names are compared without regard to case. Rename one of them.',
  ),
  BINDINGS_MISSING: appError('{where} has no bindings. Declare at least one: the trigger that starts the function.'),
  BINDING_INVALID: appError(
    '{where}: "{key}" of the binding {binding} is {value} and must be {expected}. Correct the binding.',
  ),
  BINDING_NAME_TWICE: appError('{where}: two bindings are called "{name}". Give each binding a name of its own.'),
  TRIGGER_COUNT: appError(
    '{where} must have exactly one binding whose type ends in "Trigger"; found: {found}. Leave exactly one.',
  ),
  SCRIPT_FILE_MISSING: appError(
    '{where} leads to no script: {problem}. Name the file in "scriptFile", relative to the folder of function.json.',
  ),
  SCRIPT_LANGUAGE_UNKNOWN: appError(
    '{where}: the language of {file} is not known by its extension (known: {known}). ' +
      'Set FUNCTIONS_WORKER_RUNTIME or name another "scriptFile".',
  ),
  SCRIPT_LANGUAGE_MISMATCH: appError(
    '{where}: {file} is a script for {language}, but FUNCTIONS_WORKER_RUNTIME is {runtime}. ' +
      'Move the function to an app of its own language, or correct the setting.',
  ),
  RETRY_INVALID: appError('{where}: "{key}" is {value} and must be {expected}. Correct the retry policy.'),

  HOST_JSON_VERSION: appError(
    '{where}: "version" is {version} and must be "2.0", the version of the file\'s schema ' +
      '(not that of the runtime). Set "version": "2.0".',
  ),
  HOST_JSON_INVALID: appError('{where} cannot be used. {problems} Correct these values.'),

  LOCAL_SETTINGS_ENCRYPTED: appError(
    '{where} is encrypted ("IsEncrypted": true) with a key that only Core Tools on the machine of its author has. ' +
      'Run "func settings decrypt" there, or write the values anew with "IsEncrypted": false.',
  ),
  LOCAL_SETTINGS_INVALID: appError('{where}: "{key}" cannot be used: {problem}.'),
  SETTING_MISSING: appError(
    '{where} refers to the app setting "{name}", which is missing or empty. ' +
      "Add it to the app's settings (Values of local.settings.json on a developer's machine).",
  ),
  SETTING_REFERENCE_INVALID: appError(
    '{where}: "{text}" cannot be read at position {position}: {problem}. Refer to a setting as %NAME%.',
  ),

  SCHEDULE_INVALID: appError(
    'The schedule "{schedule}" cannot be used: {problem}. ' +
      'Write six fields (second minute hour day month day-of-week), five without seconds, or an interval as hh:mm:ss.',
  ),
  TIME_ZONE_UNKNOWN: appError(
    'There is no time zone "{name}". Use an IANA name such as Europe/Berlin or a Windows name such as ' +
      'W. Europe Standard Time in WEBSITE_TIME_ZONE.',
  ),
  TIME_OUT_OF_RANGE: appError('The time {time} lies outside what a calendar can hold.'),

  ROUTE_TEMPLATE_INVALID: appError(
    'The route "{template}" cannot be used: {problem} (position {position}). Correct the route.',
  ),
  ROUTE_RESERVED: appError(
    'The function "{functionName}" has the route "{route}", but routes that start with "{reserved}" belong to the host. ' +
      'Choose another route.',
  ),
  ROUTE_TWICE: appError(
    'The function "{functionName}" has the route "{route}", which the function "{other}" has already, with a method in ' +
      'common. Change the route or the methods of one of them.',
  ),

  EXPRESSION_INVALID: appError(
    '{where}: the expression "{text}" cannot be read at position {position}: {problem}. Correct the expression.',
  ),
  EXPRESSION_VALUE_MISSING: appError(
    "{where}: No value for named parameter '{name}'. The trigger offers: {available}. Use one of these names.",
  ),
  EXPRESSION_VALUE_UNUSABLE: appError(
    '{where}: the value of "{name}" is {kind}, which cannot be part of a text. Name one of its members, as in a.b.',
  ),
  EXPRESSION_FORMAT_INVALID: appError(
    '{where}: the value of "{name}" cannot be written in the format "{format}". Use a .NET format that fits the value.',
  ),
});
