/** Health of the control plane's parts, asked when somebody wants to know. */
import type { ComponentStatus } from '#api/core/v1.gen.ts'
import { formatApiVersion, type KindDefinition } from '#api/kind.ts'
import { notFound } from '#machinery/status-error.ts'
import type { ComponentCheck } from '../../health/component-checks.ts'
import type { ApiRequest, ApiResponse, StoredObject } from '../../request.ts'
import type { EndpointContext } from '../context.ts'
import { checkListOptions, readListParameters } from '../parameters.ts'
import { readSelectors } from '../selection.ts'

export async function handleComponentStatuses(
  { dependencies: { components = new Map() } }: EndpointContext,
  kind: KindDefinition,
  request: ApiRequest,
): Promise<ApiResponse> {
  const { info, signal } = request
  if (info.verb === 'list') return listStatuses(components, kind, request)
  const check = components.get(info.name)
  if (check === undefined) throw notFound({ group: kind.group, resource: kind.singular }, info.name)
  return { code: 200, body: { form: 'object', object: await statusOf(kind, info.name, check, signal) } }
}

async function listStatuses(
  components: ReadonlyMap<string, ComponentCheck>,
  kind: KindDefinition,
  request: ApiRequest,
): Promise<ApiResponse> {
  const parameters = readListParameters(request)
  checkListOptions(parameters, false)
  const { labels, fields } = readSelectors(kind, parameters.labelSelector, parameters.fieldSelector)
  const asked = [...components].filter(
    ([name]) => labels.matches({}) && fields.matches((field) => (field === 'metadata.name' ? name : '')),
  )
  const statuses = await Promise.all(asked.map(([name, check]) => statusOf(kind, name, check, request.signal)))
  return {
    code: 200,
    body: {
      form: 'list',
      apiVersion: formatApiVersion(kind),
      kind: `${kind.kind}List`,
      metadata: {},
      items: statuses.map(asItem),
    },
  }
}

async function statusOf(
  kind: KindDefinition,
  name: string,
  check: ComponentCheck,
  signal: AbortSignal,
): Promise<ComponentStatus> {
  const problem = await check(signal).then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
  const [status, message] = problem === null ? ['True', 'ok'] : ['False', problem]
  return {
    kind: kind.kind,
    apiVersion: formatApiVersion(kind),
    metadata: { name },
    conditions: [{ type: 'Healthy', status, message }],
  } as ComponentStatus
}

function asItem(status: ComponentStatus): StoredObject {
  return {
    key: status.metadata.name ?? '',
    revision: 0,
    bytes: Buffer.from(JSON.stringify(status)),
    object: () => status,
  }
}
