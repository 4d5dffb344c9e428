/** The OpenAPI 2 document in gnostic's protobuf form, which kubectl and client-go ask for. Field numbers are those of `OpenAPIv2.proto`. */
import { addExtensions, anyOf, entriesOf, Message, named, nodeOf } from './gnostic-message.ts'
import type { Node } from './schemas.ts'

export const OPENAPI_2_PROTOBUF_TYPE = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'

export function encodeOpenApi2(document: Node): Buffer {
  const info = nodeOf(document['info'])
  const paths = new Message()
  for (const [path, item] of entriesOf(document['paths'])) paths.message(2, named(path, encodePathItem(item)))
  const message = new Message()
    .text(1, document['swagger'])
    .message(2, new Message().text(1, info['title']).text(2, info['version']))
    .message(8, paths)
    .message(9, encodeNamedSchemas(document['definitions']))
  for (const requirement of document['security'] as Node[]) message.message(12, encodeSecurityRequirement(requirement))
  return message.message(13, encodeSecurityDefinitions(document['securityDefinitions'])).finish()
}

function encodeNamedSchemas(schemas: unknown): Message {
  const message = new Message()
  for (const [name, schema] of entriesOf(schemas)) message.message(1, named(name, encodeSchema(schema)))
  return message
}

function encodeSecurityRequirement(requirement: Node): Message {
  const message = new Message()
  for (const [name, scopes] of Object.entries(requirement))
    message.message(1, named(name, new Message().texts(1, scopes)))
  return message
}

function encodeSecurityDefinitions(definitions: unknown): Message {
  const message = new Message()
  for (const [name, key] of entriesOf(definitions)) {
    const apiKey = new Message()
      .text(1, key['type'])
      .text(2, key['name'])
      .text(3, key['in'])
      .text(4, key['description'])
    message.message(1, named(name, new Message().message(2, apiKey)))
  }
  return message
}

const METHOD_FIELDS: Readonly<Record<string, number>> = {
  get: 2,
  put: 3,
  post: 4,
  delete: 5,
  options: 6,
  head: 7,
  patch: 8,
}

function encodePathItem(item: Node): Message {
  const message = new Message()
  for (const [method, field] of Object.entries(METHOD_FIELDS))
    if (item[method] !== undefined) message.message(field, encodeOperation(nodeOf(item[method])))
  for (const parameter of (item['parameters'] ?? []) as Node[]) message.message(9, encodeParameter(parameter))
  return message
}

function encodeOperation(operation: Node): Message {
  const message = new Message()
    .texts(1, operation['tags'])
    .text(5, operation['operationId'])
    .texts(6, operation['produces'])
    .texts(7, operation['consumes'])
  for (const parameter of (operation['parameters'] ?? []) as Node[]) message.message(8, encodeParameter(parameter))
  return addExtensions(
    message.message(9, encodeResponses(operation['responses'])).texts(10, operation['schemes']),
    13,
    operation,
  )
}

function encodeResponses(responses: unknown): Message {
  const message = new Message()
  for (const [code, response] of entriesOf(responses)) {
    const encoded = new Message().text(1, response['description'])
    if (response['schema'] !== undefined)
      encoded.message(2, new Message().message(1, encodeSchema(nodeOf(response['schema']))))
    message.message(1, named(code, new Message().message(1, encoded)))
  }
  return message
}

function encodeParameter(parameter: Node): Message {
  return new Message().message(1, encodeParameterKind(parameter))
}

function encodeParameterKind(parameter: Node): Message {
  if (parameter['in'] === 'body') {
    const body = new Message().text(2, parameter['name']).text(3, 'body').flag(4, parameter['required'])
    return new Message().message(1, body.message(5, encodeSchema(nodeOf(parameter['schema']))))
  }
  const common = new Message()
    .flag(1, parameter['required'])
    .text(2, parameter['in'])
    .text(3, parameter['description'])
    .text(4, parameter['name'])
  if (parameter['in'] === 'path') {
    const inPath = common.text(5, parameter['type']).flag(19, parameter['uniqueItems'])
    return new Message().message(2, new Message().message(4, inPath))
  }
  const inQuery = common.text(6, parameter['type']).flag(20, parameter['uniqueItems'])
  return new Message().message(2, new Message().message(3, inQuery))
}

function encodeSchema(schema: Node): Message {
  const message = new Message().text(1, schema['$ref']).text(2, schema['format']).text(4, schema['description'])
  message.texts(19, schema['required'])
  for (const value of (schema['enum'] ?? []) as unknown[]) message.message(20, anyOf(value))
  if (schema['additionalProperties'] !== undefined) {
    const values = encodeSchema(nodeOf(schema['additionalProperties']))
    message.message(21, new Message().message(1, values))
  }
  if (schema['type'] !== undefined) message.message(22, new Message().text(1, schema['type']))
  if (schema['items'] !== undefined)
    message.message(23, new Message().message(1, encodeSchema(nodeOf(schema['items']))))
  if (schema['properties'] !== undefined) message.message(25, encodeNamedSchemas(schema['properties']))
  return addExtensions(message, 31, schema)
}
