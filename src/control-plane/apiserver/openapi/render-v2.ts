/** Writes all operations and schemas as the one OpenAPI 2 document that older clients read. */
import { CODE_TEXTS, commonParameters, MEDIA_TYPES, ownParameters, schemasOf } from './render-v3.ts'
import type { MediaTypes, Operation } from './operations.ts'
import type { Parameter } from './parameters.ts'
import { collectSchemas, OPENAPI_2, type Node } from './schemas.ts'

const DOCUMENT_TYPES = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']
const CONSUMES: Readonly<Record<Operation['consumes'], readonly string[]>> = {
  any: ['*/*'],
  patch: [
    'application/json-patch+json',
    'application/merge-patch+json',
    'application/strategic-merge-patch+json',
    'application/apply-patch+yaml',
  ],
  document: DOCUMENT_TYPES,
}
const STREAM_TYPES = ['application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch']

const PRODUCES: Readonly<Record<MediaTypes, readonly string[]>> = {
  ...MEDIA_TYPES,
  object: DOCUMENT_TYPES,
  watchable: [...DOCUMENT_TYPES, ...STREAM_TYPES],
  log: ['text/plain', ...DOCUMENT_TYPES],
}

export function renderOpenApi2(operations: readonly Operation[], release: string): Node {
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: release },
    paths: renderPaths(operations),
    definitions: collectSchemas(schemasOf(operations), OPENAPI_2),
    securityDefinitions: {
      BearerToken: { type: 'apiKey', description: 'Bearer Token authentication', name: 'authorization', in: 'header' },
    },
    security: [{ BearerToken: [] }],
  }
}

function renderPaths(operations: readonly Operation[]): Node {
  const paths: Node = {}
  for (const [path, ofPath] of Map.groupBy(operations, (operation) => operation.path)) {
    const common = commonParameters(ofPath)
    const item: Node = common.length === 0 ? {} : { parameters: common.map(renderParameter) }
    for (const operation of ofPath) item[operation.method] = renderOperation(operation, common)
    paths[path] = item
  }
  return paths
}

function renderParameter({ name, in: place, type }: Parameter): Node {
  return { name, in: place, type, uniqueItems: true, ...(place === 'path' ? { required: true } : {}) }
}

function renderOperation(operation: Operation, common: readonly Parameter[]): Node {
  const parameters = ownParameters(operation, common).map(renderParameter)
  if (operation.body !== undefined)
    parameters.unshift({
      name: 'body',
      in: 'body',
      ...(operation.body.required ? { required: true } : {}),
      schema: refTo(operation.body.schema),
    })
  const schema = operation.answer === null ? { type: 'string' } : refTo(operation.answer)
  const responses: Node = {}
  for (const code of operation.codes) responses[code] = { description: CODE_TEXTS[code], schema }
  responses['401'] = { description: CODE_TEXTS[401] }
  return {
    tags: [operation.tag],
    operationId: operation.id,
    schemes: ['https'],
    consumes: CONSUMES[operation.consumes],
    produces: PRODUCES[operation.produces],
    ...(parameters.length === 0 ? {} : { parameters }),
    responses,
    ...(operation.action === undefined ? {} : { 'x-kubernetes-action': operation.action }),
    ...(operation.kind === undefined ? {} : { 'x-kubernetes-group-version-kind': operation.kind }),
  }
}

const refTo = (name: string): Node => ({ $ref: `${OPENAPI_2.refPrefix}${name}` })
