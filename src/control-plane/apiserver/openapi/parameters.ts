/** Query and path parameters of the API's operations, as the OpenAPI documents list them. */

export type Parameter = {
  readonly name: string
  readonly in: 'query' | 'path'
  readonly type: 'string' | 'integer' | 'boolean'
}

const query = (type: Parameter['type'], ...names: string[]): Parameter[] =>
  names.map((name) => ({ name, in: 'query', type }))
const path = (name: string): Parameter => ({ name, in: 'path', type: 'string' })

export const NAME = path('name')
export const NAMESPACE = path('namespace')
export const PATH = path('path')
export const PRETTY = query('string', 'pretty')

export const LIST_PARAMETERS: readonly Parameter[] = [
  ...query('boolean', 'allowWatchBookmarks', 'sendInitialEvents', 'watch'),
  ...query(
    'string',
    'continue',
    'fieldSelector',
    'labelSelector',
    'resourceVersion',
    'resourceVersionMatch',
    'shardSelector',
  ),
  ...query('integer', 'limit', 'timeoutSeconds'),
]

export const WRITE_PARAMETERS: readonly Parameter[] = query('string', 'dryRun', 'fieldManager', 'fieldValidation')

export const PATCH_PARAMETERS: readonly Parameter[] = [...WRITE_PARAMETERS, ...query('boolean', 'force')]

export const DELETE_PARAMETERS: readonly Parameter[] = [
  ...query('string', 'dryRun', 'propagationPolicy'),
  ...query('boolean', 'ignoreStoreReadErrorWithClusterBreakingPotential', 'orphanDependents'),
  ...query('integer', 'gracePeriodSeconds'),
]

export const DELETE_COLLECTION_PARAMETERS: readonly Parameter[] = [
  ...DELETE_PARAMETERS,
  ...LIST_PARAMETERS.filter(({ name }) => name !== 'allowWatchBookmarks' && name !== 'watch'),
]

/** Options of subresources that take over the connection, by their kind. */
export const CONNECT_PARAMETERS: Readonly<Record<string, readonly Parameter[]>> = {
  PodAttachOptions: [...query('string', 'container'), ...query('boolean', 'stderr', 'stdin', 'stdout', 'tty')],
  PodExecOptions: [...query('string', 'command', 'container'), ...query('boolean', 'stderr', 'stdin', 'stdout', 'tty')],
  PodPortForwardOptions: query('integer', 'ports'),
  PodProxyOptions: query('string', 'path'),
  ServiceProxyOptions: query('string', 'path'),
  NodeProxyOptions: query('string', 'path'),
}

export const LOG_PARAMETERS: readonly Parameter[] = [
  ...query('string', 'container', 'stream'),
  ...query('boolean', 'follow', 'insecureSkipTLSVerifyBackend', 'previous', 'timestamps'),
  ...query('integer', 'limitBytes', 'sinceSeconds', 'tailLines'),
]

export function sortParameters(parameters: readonly Parameter[]): Parameter[] {
  return parameters.toSorted((one, other) =>
    one.name === other.name ? (one.in < other.in ? -1 : 1) : one.name < other.name ? -1 : 1,
  )
}
