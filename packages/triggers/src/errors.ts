import { defineErrors } from '@switchyard/kernel';

/** A mistake in the app's own files or settings: trying again changes nothing. */
const userMistake = { blame: 'user', retry: 'never', http: 500, grpc: 9, exit: 2 } as const;

/** A value that the function gave back and nobody can deliver. */
const badOutput = { blame: 'user', retry: 'never', http: 500, grpc: 3, exit: 1 } as const;

/** A service that the app uses did not do its part. */
const dependencyFault = { blame: 'dependency', retry: 'safe', http: 503, grpc: 14, exit: 1 } as const;

/** What can go wrong while triggers and bindings are parsed, watched and written. */
export const triggerErrors = defineErrors({
  HTTP_METHODS_INVALID: {
    ...userMistake,
    message:
      'Function \'{function}\', binding \'{binding}\': "methods" is {value}, but it must be a list of HTTP methods. Write for example "methods": ["get", "post"], or leave it out to accept every method.',
  },
  HTTP_AUTH_LEVEL_INVALID: {
    ...userMistake,
    message:
      'Function \'{function}\', binding \'{binding}\': "authLevel" is {value}, which is no level. Use "anonymous", "function" or "admin" ("user" and "system" exist for compatibility).',
  },
  HTTP_ROUTE_INVALID: {
    ...userMistake,
    message:
      "Function '{function}', binding '{binding}': \"route\" is {value}, but it must be a text such as \"orders/{id}\". Leave it out to use the function's name.",
  },
  HTTP_ROUTE_RESERVED: {
    ...userMistake,
    message:
      "Function '{function}', binding '{binding}': the route '{value}' starts with '{segment}', which belongs to the platform's own addresses. Choose another first segment.",
  },
  HTTP_REPLY_HEADER_INVALID: {
    ...badOutput,
    message:
      "The function's response has a header that HTTP does not allow: {header}. Names are letters, digits and dashes; values are one line of Latin-1 text. Encode the value, for example with encodeURIComponent.",
  },
  HTTP_REPLY_STATUS_INVALID: {
    ...badOutput,
    message:
      "The function's response has status {status}, but a final HTTP status lies between 200 and 999. Return for example 200 or 404.",
  },
  HTTP_REPLY_COOKIE_INVALID: {
    ...badOutput,
    message:
      "The function's response sets the cookie {cookie}, whose {part} has a character that a Set-Cookie header cannot carry. Remove it, or encode it with encodeURIComponent.",
  },
  TYPED_DATA_UNSUPPORTED: {
    ...badOutput,
    message:
      "The worker answered with a value of type '{type}', which an output binding cannot take. Return a text, bytes, a number or JSON.",
  },
  TYPED_DATA_JSON_INVALID: {
    ...badOutput,
    message:
      'The worker answered with a JSON value that is not JSON: {reason}. Return a value that JSON.stringify can write.',
  },
  TIMER_SCHEDULE_MISSING: {
    ...userMistake,
    message:
      'Function \'{function}\', binding \'{binding}\': "schedule" is {value}, but a timer needs a text. Write for example "0 */5 * * * *" (every five minutes), "00:05:00" (the same as a time span) or "%MY_SETTING%".',
  },
  TIMER_SCHEDULE_INVALID: {
    ...userMistake,
    message:
      'Function \'{function}\', binding \'{binding}\': the schedule \'{value}\' cannot be read: {reason}. Write six fields (seconds first) such as "0 */5 * * * *", five fields such as "*/5 * * * *", or a time span such as "00:05:00".',
  },
  TIMER_FLAG_INVALID: {
    ...userMistake,
    message:
      "Function '{function}', binding '{binding}': \"{key}\" is {value}, but it must be true or false. Write one of them, without quotes.",
  },
  TIMER_ZONE_INVALID: {
    ...userMistake,
    message:
      "Function '{function}', binding '{binding}': the time zone '{value}' of the setting '{setting}' is unknown. Use a name such as 'Europe/Berlin' or 'UTC'.",
  },
  TIMER_STATUS_UNREADABLE: {
    ...dependencyFault,
    retry: 'never',
    message:
      "The timer's status in '{file}' cannot be read: {reason}. Delete the file: the timer starts afresh and counts nothing as missed.",
  },
  TIMER_STATUS_LATE: {
    ...dependencyFault,
    message:
      "The timer's status was not read or written within {timeoutMs} ms. Check the disk that holds the data folder.",
  },
  QUEUE_NAME_MISSING: {
    ...userMistake,
    message:
      'Function \'{function}\', binding \'{binding}\': "queueName" is {value}, but it must be a text. Write for example "queueName": "orders".',
  },
  QUEUE_NAME_INVALID: {
    ...userMistake,
    message:
      "Function '{function}', binding '{binding}': '{value}' is no name of a storage queue. Use 3 to 63 lower-case letters, digits and single dashes, with a letter or digit at both ends.",
  },
  STORAGE_CONNECTION_MISSING: {
    ...userMistake,
    message:
      "Function '{function}', binding '{binding}': the setting '{setting}' is missing, so there is no connection to Azure Storage. Add it to local.settings.json (\"Values\") or to the app's settings, for example \"{setting}\": \"UseDevelopmentStorage=true\".",
  },
  STORAGE_CONNECTION_INVALID: {
    ...userMistake,
    message:
      "Function '{function}', binding '{binding}': the setting '{setting}' is no connection string of Azure Storage: {reason}. Copy it from the storage account's access keys, or use \"UseDevelopmentStorage=true\".",
  },
  STORAGE_IDENTITY_INVALID: {
    ...userMistake,
    message:
      "Function '{function}', binding '{binding}': the connection '{setting}' asks for an identity (settings that start with '{setting}__'), but {problem}. Correct these settings; docs/triggers.md lists them.",
  },
  IDENTITY_NOT_ALLOWED: {
    ...userMistake,
    message:
      "A connection asks for the identity of the host's own process or machine ('{identity}'), which belongs to no app where many share a host. Give the connection an identity of the app: its members 'tenantId', 'clientId' and 'clientSecret'.",
  },
  STORAGE_SDK_MISSING: {
    ...dependencyFault,
    retry: 'never',
    message:
      "The library '{package}' that talks to Azure Storage cannot be loaded: {reason}. Install the dependencies again.",
  },
  IDENTITY_SDK_MISSING: {
    ...dependencyFault,
    retry: 'never',
    message:
      "Connections by identity need the library '{package}', which cannot be loaded: {reason}. Install it beside Switchyard: npm install {package}.",
  },
  STORAGE_REQUEST_FAILED: {
    ...dependencyFault,
    message:
      "Azure Storage did not carry out '{operation}' on queue '{queue}': {reason}. Check that the storage account is reachable and that the connection string is right.",
  },
  STORAGE_REQUEST_REFUSED: {
    ...dependencyFault,
    blame: 'user',
    retry: 'never',
    message:
      "Azure Storage refused '{operation}' on queue '{queue}': {reason}. Check the key or signature in the connection string, and what it permits.",
  },
  STORAGE_REQUEST_LATE: {
    ...dependencyFault,
    message:
      "Azure Storage did not answer '{operation}' on queue '{queue}' within {timeoutMs} ms. Check that the storage account is reachable.",
  },
  QUEUE_MESSAGE_TOO_LARGE: {
    ...badOutput,
    message:
      "A message for queue '{queue}' has {sizeBytes} bytes, but a storage queue takes {limitBytes} at most after encoding. Put the content into a blob and send its name.",
  },
  QUEUE_OUTPUT_UNSAFE: {
    ...dependencyFault,
    message:
      "Queue '{queue}' disappeared again and again while a message was sent to it. Check whether something deletes the queue.",
  },
  STORAGE_CALL_FAILED: {
    ...dependencyFault,
    message:
      "Azure Storage did not carry out '{operation}' on {resource}: {reason}. Check that the storage account is reachable and that the connection string is right.",
  },
  STORAGE_CALL_REFUSED: {
    ...dependencyFault,
    blame: 'user',
    retry: 'never',
    message:
      "Azure Storage refused '{operation}' on {resource}: {reason}. Check the key or signature in the connection string, and what it permits.",
  },
  STORAGE_CALL_LATE: {
    ...dependencyFault,
    message:
      "Azure Storage did not answer '{operation}' on {resource} within {timeoutMs} ms. Check that the storage account is reachable.",
  },
  BLOB_PATH_MISSING: {
    ...userMistake,
    message:
      'Function \'{function}\', binding \'{binding}\': "path" is {value}, but it must be a text. Write for example "path": "images/{name}".',
  },
  BLOB_PATH_INVALID: {
    ...userMistake,
    message:
      "Function '{function}', binding '{binding}': the path '{value}' leads to no blob: {reason}. Write a container and a blob, such as \"images/{name}.png\".",
  },
  BLOB_SOURCE_UNSUPPORTED: {
    ...userMistake,
    message:
      "Function '{function}', binding '{binding}': \"source\" is {value}, which is no source. Leave it out: the container is then watched by scans ('LogsAndContainerScan'); or write 'EventGrid' and subscribe the webhook runtime/webhooks/blobs to the storage account.",
  },
  BLOB_TRIGGER_QUEUE_INVALID: {
    ...userMistake,
    message:
      "Function '{function}', binding '{binding}': the host id '{hostId}' makes '{queue}', which is no name of a storage queue. Set AzureFunctionsWebHost__hostid to at most 32 lower-case letters, digits and single dashes.",
  },
  BLOB_TOO_LARGE: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 8,
    exit: 1,
    message:
      "The blob '{blob}' has {sizeBytes} bytes, but a function is given {limitBytes} at most in one piece. Bind the blob's client instead (deferred binding), or read the blob from its address with the storage library.",
  },
  BLOB_OUTPUT_REFUSED: {
    ...dependencyFault,
    blame: 'user',
    retry: 'never',
    message:
      "The blob '{blob}' was not written: somebody holds a lease on it. Release the lease, or write to another blob.",
  },
  BLOB_CONTAINER_UNSAFE: {
    ...dependencyFault,
    message:
      "The container '{container}' disappeared again and again while a blob was written to it. Check whether something deletes the container.",
  },
  BLOB_MESSAGE_INVALID: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 3,
    exit: 1,
    message:
      "A message of the blob trigger queue '{queue}' is none that the host writes: {reason}. Find out who else writes to that queue; it belongs to the host.",
  },
  BLOB_FUNCTION_UNKNOWN: {
    ...userMistake,
    message:
      "A message of the blob trigger queue is for '{function}', which this app does not have or does not run. Enable the function again, or delete the message from the poison queue.",
  },
  TABLE_NAME_MISSING: {
    ...userMistake,
    message:
      'Function \'{function}\', binding \'{binding}\': "tableName" is {value}, but it must be a text. Write for example "tableName": "Orders".',
  },
  TABLE_NAME_INVALID: {
    ...userMistake,
    message:
      "Function '{function}', binding '{binding}': '{value}' is no name of a table. Use 3 to 63 letters and digits, and begin with a letter.",
  },
  TABLE_BINDING_INVALID: {
    ...userMistake,
    message: "Function '{function}', binding '{binding}': \"{key}\" is {value}, but {expected}. Correct the binding.",
  },
  TABLE_FILTER_VALUE_INVALID: {
    ...badOutput,
    message:
      "Function '{function}', binding '{binding}': the value {value} cannot stand in the filter outside of quotes. Write the placeholder in single quotes, such as \"Name eq '{name}'\".",
  },
  TABLE_ENTITY_INVALID: {
    ...badOutput,
    message:
      "An entity for table '{table}' cannot be written: {reason}. Correct the value that the function gives back.",
  },
  TABLE_RESULT_TOO_LARGE: {
    blame: 'user',
    retry: 'never',
    http: 500,
    grpc: 8,
    exit: 1,
    message:
      "Function '{function}', binding '{binding}': what was read from table '{table}' is larger than {limitBytes} bytes, more than a function is given in one piece. Narrow it down with \"filter\" or \"take\".",
  },
  TABLE_WRITE_CONFLICT: {
    ...badOutput,
    message:
      'Table \'{table}\' did not take {count} entities of partition \'{partitionKey}\': {reason}. Set "ETag": "*" to write over an entity that exists, or choose another row key.',
  },
  TABLE_UNSAFE: {
    ...dependencyFault,
    message:
      "Table '{table}' disappeared again and again while it was written to. Check whether something deletes the table.",
  },
});
