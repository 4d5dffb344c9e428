/** A document of OpenAPI 3 in gnostic's protobuf form. Field numbers are those of `OpenAPIv3.proto`. */
import { addExtensions, anyOf, entriesOf, Message, named, nodeOf } from './gnostic-message.ts'
import type { Node } from './schemas.ts'

export const OPENAPI_3_PROTOBUF_TYPE = 'application/com.github.proto-openapi.spec.v3.v1.0+protobuf'

export function encodeOpenApi3(document: Node): Buffer {
  const info = nodeOf(document['info'])
  const components = nodeOf(document['components'])
  const paths = new Message()
  for (const [path, item] of entriesOf(document['paths'])) paths.message(1, named(path, encodePathItem(item)))
  const parts = new Message()
  if (entriesOf(components['schemas']).length > 0) parts.message(1, encodeSchemas(components['schemas']))
  parts.message(7, encodeSecuritySchemes(components['securitySchemes']))
  return new Message()
    .text(1, document['openapi'])
    .message(2, new Message().text(1, info['title']).text(6, info['version']))
    .message(4, paths)
    .message(5, parts)
    .finish()
}

const METHOD_FIELDS: Readonly<Record<string, number>> = {
  get: 4,
  put: 5,
  post: 6,
  delete: 7,
  options: 8,
  head: 9,
  patch: 10,
}

function encodePathItem(item: Node): Message {
  const message = new Message()
  for (const [method, field] of Object.entries(METHOD_FIELDS))
    if (item[method] !== undefined) message.message(field, encodeOperation(nodeOf(item[method])))
  return addParameters(message, 13, item)
}

function encodeOperation(operation: Node): Message {
  const message = new Message()
    .texts(1, operation['tags'])
    .text(3, operation['description'])
    .text(5, operation['operationId'])
  addParameters(message, 6, operation)
  if (operation['requestBody'] !== undefined) {
    const body = nodeOf(operation['requestBody'])
    const encoded = new Message().message(2, encodeContent(body['content'])).flag(3, body['required'])
    message.message(7, new Message().message(1, encoded))
  }
  return addExtensions(message.message(8, encodeResponses(operation['responses'])), 13, operation)
}

function addParameters(message: Message, field: number, owner: Node): Message {
  for (const parameter of (owner['parameters'] ?? []) as Node[]) {
    const encoded = new Message()
      .text(1, parameter['name'])
      .text(2, parameter['in'])
      .text(3, parameter['description'])
      .flag(4, parameter['required'])
      .message(10, encodeSchemaOrReference(nodeOf(parameter['schema'])))
    message.message(field, new Message().message(1, encoded))
  }
  return message
}

function encodeResponses(responses: unknown): Message {
  const message = new Message()
  for (const [code, response] of entriesOf(responses)) {
    const encoded = new Message().text(1, response['description'])
    if (response['content'] !== undefined) encoded.message(3, encodeContent(response['content']))
    message.message(2, named(code, new Message().message(1, encoded)))
  }
  return message
}

function encodeContent(content: unknown): Message {
  const message = new Message()
  for (const [type, { schema }] of entriesOf(content))
    message.message(1, named(type, new Message().message(1, encodeSchemaOrReference(nodeOf(schema)))))
  return message
}

function encodeSecuritySchemes(schemes: unknown): Message {
  const message = new Message()
  for (const [name, scheme] of entriesOf(schemes)) {
    const encoded = new Message()
      .text(1, scheme['type'])
      .text(2, scheme['description'])
      .text(3, scheme['name'])
      .text(4, scheme['in'])
    message.message(1, named(name, new Message().message(1, encoded)))
  }
  return message
}

function encodeSchemas(schemas: unknown): Message {
  const message = new Message()
  for (const [name, schema] of entriesOf(schemas)) message.message(1, named(name, encodeSchemaOrReference(schema)))
  return message
}

function encodeSchemaOrReference(schema: Node): Message {
  return schema['$ref'] === undefined
    ? new Message().message(1, encodeSchema(schema))
    : new Message().message(2, new Message().text(1, schema['$ref']))
}

const COMBINATIONS = { allOf: 26, oneOf: 27, anyOf: 28 } as const

function encodeSchema(schema: Node): Message {
  const message = new Message().flag(20, schema['uniqueItems']).texts(23, schema['required'])
  for (const value of (schema['enum'] ?? []) as unknown[]) message.message(24, anyOf(value))
  message.text(25, schema['type'])
  for (const [name, field] of Object.entries(COMBINATIONS))
    for (const part of (schema[name] ?? []) as Node[]) message.message(field, encodeSchemaOrReference(part))
  if (schema['items'] !== undefined)
    message.message(30, new Message().message(1, encodeSchemaOrReference(nodeOf(schema['items']))))
  if (schema['properties'] !== undefined) message.message(31, encodeSchemas(schema['properties']))
  if (schema['additionalProperties'] !== undefined) {
    const values = encodeSchemaOrReference(nodeOf(schema['additionalProperties']))
    message.message(32, new Message().message(1, values))
  }
  if (schema['default'] !== undefined) message.message(33, encodeDefault(schema['default']))
  message.text(34, schema['description']).text(35, schema['format'])
  return addExtensions(message, 36, schema)
}

/** Only scalars have a field; an empty object is there without a value. */
function encodeDefault(value: unknown): Message {
  const message = new Message()
  if (typeof value === 'number') return message.double(1, value)
  if (typeof value === 'boolean') return value ? message.flag(2, true) : message.zero(2)
  return message.text(3, value)
}
