/** Puts the resources of an API server together: caches, admission, writer, deleter and the verbs over them. */
import type { ResourceQuota } from '#api/core/v1.gen.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { isAlreadyExists, isNotFound, notFound } from '#machinery/status-error.ts'
import { registerSchemas } from '#machinery/schema/registry.ts'
import { BUILT_IN_SCHEMAS } from '#api/schemas.ts'
import { ClusterReader } from '../admission/cluster-reader.ts'
import { createAdmission } from '../admission/index.ts'
import type { NamespaceCreator } from '../admission/namespace-exists.ts'
import type { QuotaWriter } from '../admission/resource-quota/resource-quota.ts'
import { mediaTypesOf } from '../http/negotiation.ts'
import type { UserInfo } from '../request.ts'
import type { ServicePools } from '../admission/service-allocation.ts'
import { AddressPool } from '../registry/address-pool.ts'
import { ObjectDeleter } from '../registry/object-deleter.ts'
import { Expiry } from '../registry/expiry.ts'
import { ObjectWriter } from '../registry/object-writer.ts'
import { PortPool } from '../registry/port-pool.ts'
import { Resources, type Resource } from '../registry/resource.ts'
import type { ResourceBackend, ResourceDependencies } from '../resource-backend.ts'
import { auditedDecoder } from './audited-body.ts'
import { createRequestLoad } from './request-load.ts'
import { createBodyDecoder } from './body.ts'
import type { EndpointContext } from './context.ts'
import { createEndpoints } from './resource-handler.ts'

/** `freeze`: objects handed out are frozen through and through, for tests. */
export function createResources(
  dependencies: ResourceDependencies,
  options: { readonly freeze?: boolean } = {},
): ResourceBackend {
  registerSchemas(BUILT_IN_SCHEMAS)
  const { store, kinds, clock, random, log, authorizer, serviceClusterIpRange, nodePortRange } = dependencies
  const resources = new Resources({ kinds, store, clock, log, freeze: options.freeze ?? false })
  const pools = {
    addresses: new AddressPool(serviceClusterIpRange, random),
    ports: new PortPool(nodePortRange, random),
  }
  const cluster = new ClusterReader(resources)
  const writeQuota: QuotaWriter = (namespace, name, change) =>
    updateQuota(writer, resources, { clock, random, features: dependencies.features, namespace, name }, change)
  const createNamespace: NamespaceCreator = (name) =>
    createNamespaceOnce(writer, resources, { clock, random, features: dependencies.features, name })
  const settings = dependencies.admission ?? {}
  const admission = createAdmission({
    kinds,
    cluster,
    random,
    authorizer,
    pools,
    clock,
    writeQuota,
    createNamespace,
    settings,
  })
  const onRemoved = (resource: Resource, object: KubernetesObject): void => releaseOf(pools, resource, object)
  const expiry = new Expiry({ store, clock, ttlSeconds: dependencies.settings.eventTtlSeconds })
  const writer = new ObjectWriter({ store, clock, random, admission, expiry, onRemoved })
  const deleter = new ObjectDeleter({
    store,
    clock,
    admission,
    onRemoved,
  })
  const context: EndpointContext = {
    clock,
    random,
    resources,
    writer,
    deleter,
    admission,
    cluster,
    decodeBody: auditedDecoder(createBodyDecoder(kinds, mediaTypesOf(dependencies.features))),
    dependencies,
  }
  const ready = restorePools(pools, resources)
  ready.catch(() => {}) // Reported by ready().
  const endpoints = createEndpoints(context)
  return {
    handler: async (request) => {
      const { group, version, resource } = request.info
      if (resources.kind(group, version, resource)?.allocations !== undefined) await ready
      return endpoints(request)
    },
    load: createRequestLoad(resources),
    facts: {
      resources: () => resources.facts(),
      pools: () => ({
        cidr: serviceClusterIpRange,
        addresses: pools.addresses.usage,
        ports: pools.ports.usage,
      }),
    },
    ready: () => ready,
    close: async () => resources.close(),
  }
}

type QuotaPlace = Pick<ResourceDependencies, 'clock' | 'random' | 'features'> & {
  readonly namespace: string
  readonly name: string
}

/** Counts in a quota what is about to be written: the server's own write, as its owner shows. */
async function updateQuota(
  writer: ObjectWriter,
  resources: Resources,
  { clock, random, features, namespace, name }: QuotaPlace,
  change: (quota: ResourceQuota) => ResourceQuota,
): Promise<void> {
  const subresource = 'status'
  await writer
    .update(
      resources.get('', 'v1', 'resourcequotas')!,
      (current) => {
        // Deleted meanwhile: nothing is limited any more.
        if (current === null) throw notFound({ group: '', resource: 'resourcequotas' }, name)
        return { object: change(current as ResourceQuota) }
      },
      {
        user: SERVER,
        namespace,
        name,
        subresource,
        dryRun: false,
        fieldManager: 'kube-apiserver',
        strategy: { clock, random, features, subresource, warn: () => {}, user: SERVER },
      },
    )
    .catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
}

type NamespacePlace = Pick<ResourceDependencies, 'clock' | 'random' | 'features'> & { readonly name: string }

async function createNamespaceOnce(
  writer: ObjectWriter,
  resources: Resources,
  { clock, random, features, name }: NamespacePlace,
): Promise<void> {
  const object = { kind: 'Namespace', apiVersion: 'v1', metadata: { name }, spec: {}, status: {} }
  await writer
    .create(
      resources.get('', 'v1', 'namespaces')!,
      { object: object as unknown as KubernetesObject },
      {
        user: SERVER,
        namespace: '',
        name,
        subresource: '',
        dryRun: false,
        fieldManager: 'kube-apiserver',
        strategy: { clock, random, features, subresource: '', warn: () => {}, user: SERVER },
      },
    )
    .catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error
    })
}

const SERVER: UserInfo = { name: 'system:apiserver', uid: '', groups: ['system:masters'], extra: {} }

/** The allocators know what is taken only from the stored objects. */
async function restorePools(pools: ServicePools, resources: Resources): Promise<void> {
  for (const { kind, cache } of resources.all()) {
    if (kind.allocations === undefined) continue
    const { items } = await cache.list({})
    for (const item of items) for (const taken of kind.allocations(item.object())) restoreOne(pools, taken)
  }
}

function restoreOne({ addresses, ports }: ServicePools, taken: string | number): void {
  if (typeof taken === 'string') addresses.restore(taken)
  else ports.restore(taken)
}

function releaseOf({ addresses, ports }: ServicePools, { kind }: Resource, object: KubernetesObject): void {
  for (const taken of kind.allocations?.(object) ?? [])
    if (typeof taken === 'string') addresses.release(taken)
    else ports.release(taken)
}
