/** Writes operations and schemas as OpenAPI 3 documents: one per group version, and small ones for the paths around them. */
import type { ApiVersion } from '../discovery/api-groups.ts'
import type { MediaTypes, Operation } from './operations.ts'
import { sortParameters, type Parameter } from './parameters.ts'
import { collectSchemas, OPENAPI_3, type Node } from './schemas.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'

const OBJECT_TYPES = ['application/json', 'application/vnd.kubernetes.protobuf', 'application/yaml']
export const MEDIA_TYPES: Readonly<Record<MediaTypes, readonly string[]>> = {
  object: OBJECT_TYPES,
  watchable: [
    'application/json',
    'application/json;stream=watch',
    'application/vnd.kubernetes.protobuf',
    'application/vnd.kubernetes.protobuf;stream=watch',
    'application/yaml',
  ],
  anything: ['*/*'],
  log: [...OBJECT_TYPES, 'text/plain'],
  json: ['application/json'],
  jwks: ['application/jwk-set+json'],
}

export const PATCH_TYPES = [
  'application/apply-patch+yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
]

export const CODE_TEXTS: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  401: 'Unauthorized',
}

/** `version` is null for the documents that are not about one group version. */
export function renderOpenApi3(operations: readonly Operation[], version: ApiVersion | null, release: string): Node {
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: release },
    paths: renderPaths(operations),
    components: {
      schemas: renderComponents(operations, version),
      securitySchemes: {
        BearerToken: {
          type: 'apiKey',
          description: 'Bearer Token authentication',
          name: 'authorization',
          in: 'header',
        },
      },
    },
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

/** Parameters that all operations of a path have are listed once for the path. */
export function commonParameters(operations: readonly Operation[]): Parameter[] {
  const [first, ...others] = operations
  return sortParameters(
    first!.parameters.filter((parameter) => others.every(({ parameters }) => parameters.some(isSame(parameter)))),
  )
}

const isSame =
  (one: Parameter) =>
  (other: Parameter): boolean =>
    one.name === other.name && one.in === other.in

export function ownParameters({ parameters }: Operation, common: readonly Parameter[]): Parameter[] {
  return sortParameters(parameters.filter((parameter) => !common.some(isSame(parameter))))
}

function renderParameter({ name, in: place, type }: Parameter): Node {
  return { name, in: place, ...(place === 'path' ? { required: true } : {}), schema: { type, uniqueItems: true } }
}

function renderOperation(operation: Operation, common: readonly Parameter[]): Node {
  const own = ownParameters(operation, common)
  const answer = operation.answer === null ? { type: 'string' } : refTo(operation.answer)
  const content = Object.fromEntries(MEDIA_TYPES[operation.produces].map((type) => [type, { schema: answer }]))
  const responses: Node = {}
  for (const code of operation.codes) responses[code] = { description: CODE_TEXTS[code], content }
  responses['401'] = { description: CODE_TEXTS[401] }
  return {
    tags: [operation.tag],
    operationId: operation.id,
    ...(own.length === 0 ? {} : { parameters: own.map(renderParameter) }),
    ...(operation.body === undefined ? {} : { requestBody: renderBody(operation) }),
    responses,
    ...(operation.action === undefined ? {} : { 'x-kubernetes-action': operation.action }),
    ...(operation.kind === undefined ? {} : { 'x-kubernetes-group-version-kind': operation.kind }),
  }
}

function renderBody({ body, consumes }: Operation): Node {
  const types = consumes === 'patch' ? PATCH_TYPES : ['*/*']
  const content = Object.fromEntries(types.map((type) => [type, { schema: refTo(body!.schema) }]))
  return { content, ...(body!.required ? { required: true } : {}) }
}

const refTo = (name: string): Node => ({ $ref: `${OPENAPI_3.refPrefix}${name}` })

/** Names of the schemas that operations mention. */
export function schemasOf(operations: readonly Operation[]): Set<string> {
  const names = new Set<string>()
  for (const { answer, body } of operations) {
    if (answer !== null) names.add(answer)
    if (body !== undefined) names.add(body.schema)
  }
  return names
}

function renderComponents(operations: readonly Operation[], version: ApiVersion | null): Record<string, Node> {
  const schemas = collectSchemas(schemasOf(operations), OPENAPI_3)
  // These belong to every group version: a document names the core one and its own.
  for (const kind of ['DeleteOptions', 'WatchEvent']) {
    const schema = schemas[`${META}.${kind}`]
    if (schema !== undefined && version !== null) schema['x-kubernetes-group-version-kind'] = kindsOf(kind, version)
  }
  return schemas
}

function kindsOf(kind: string, { group, version }: ApiVersion): Node[] {
  const core = { group: '', version: 'v1', kind }
  return group === '' ? [core] : [core, { group, version, kind }]
}
