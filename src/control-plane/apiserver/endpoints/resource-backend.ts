/** Puts the resources of an API server together: caches, admission, writer, deleter and the verbs over them. */
import type { ResourceQuota } from '#api/core/v1.gen.ts'
import type { ServiceCIDR } from '#api/networking/v1.gen.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { isNotFound, notFound } from '#machinery/status-error.ts'
import { registerSchemas } from '#machinery/schema/registry.ts'
import { BUILT_IN_SCHEMAS } from '#api/schemas.ts'
import { ClusterReader } from '../admission/cluster-reader.ts'
import { createAdmission } from '../admission/index.ts'
import type { QuotaWriter } from '../admission/resource-quota/resource-quota.ts'
import { mediaTypesOf } from '../http/negotiation.ts'
import type { ServicePools } from '../admission/service-allocation.ts'
import { ObjectDeleter } from '../registry/object-deleter.ts'
import { Expiry } from '../registry/expiry.ts'
import { ObjectWriter } from '../registry/object-writer.ts'
import { ServiceAddresses } from '../registry/service-addresses.ts'
import { PortPool } from '../registry/port-pool.ts'
import type { WriteContext } from '../registry/write-context.ts'
import { Resources, type Resource } from '../registry/resource.ts'
import type { ResourceBackend, ResourceDependencies } from '../resource-backend.ts'
import { auditedDecoder } from './audited-body.ts'
import { createAddressRecords, createNamespace, serverPlace } from './server-writes.ts'
import { createRequestLoad } from './request-load.ts'
import { createBodyDecoder, createOtherKindCheck } from './body.ts'
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
  const base = { clock, random, log, features: dependencies.features }
  const ownWrites = { resources, base, writer: () => writer, deleter: () => deleter }
  const cluster = new ClusterReader(resources)
  const pools = {
    addresses: new ServiceAddresses(serviceClusterIpRange, random),
    ports: new PortPool(nodePortRange, random),
    records: createAddressRecords(ownWrites),
    serviceCidrs: () => cluster.list<ServiceCIDR>('networking.k8s.io', 'servicecidrs'),
  }
  const writeQuota: QuotaWriter = (namespace, name, change) =>
    updateQuota(writer, resources, serverPlace(base, { namespace, name, subresource: 'status' }), change)
  const settings = dependencies.admission ?? {}
  const admission = createAdmission({
    kinds,
    cluster,
    random,
    authorizer,
    pools,
    clock,
    writeQuota,
    createNamespace: (name) => createNamespace(ownWrites, name),
    settings,
    ...(dependencies.metrics === undefined ? {} : { metrics: dependencies.metrics.admission }),
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
    checkOtherKind: createOtherKindCheck(kinds),
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
      pools: () => ({ addresses: pools.addresses.usage(), ports: pools.ports.usage }),
    },
    ready: () => ready,
    close: async () => resources.close(),
  }
}

/** Counts in a quota what is about to be written: the server's own write, as its owner shows. */
async function updateQuota(
  writer: ObjectWriter,
  resources: Resources,
  place: WriteContext,
  change: (quota: ResourceQuota) => ResourceQuota,
): Promise<void> {
  const changeIt = (current: KubernetesObject | null): { object: ResourceQuota } => {
    // Deleted meanwhile: nothing is limited any more.
    if (current === null) throw notFound({ group: '', resource: 'resourcequotas' }, place.name)
    return { object: change(current as ResourceQuota) }
  }
  await writer.update(resources.get('', 'v1', 'resourcequotas')!, changeIt, place).catch((error: unknown) => {
    if (!isNotFound(error)) throw error
  })
}

/** The allocators know what is taken only from the stored objects. */
async function restorePools(pools: ServicePools, resources: Resources): Promise<void> {
  for (const { kind, storedKind, cache } of resources.all()) {
    // Versions of one kind share their objects.
    if (kind.allocations === undefined || kind !== storedKind) continue
    const { items } = await cache.list({})
    for (const item of items) for (const taken of kind.allocations(item.object())) restoreOne(pools, taken)
  }
}

function restoreOne({ addresses, ports }: ServicePools, taken: string | number): void {
  if (typeof taken === 'string') addresses.restore(taken)
  else ports.restore(taken)
}

function releaseOf({ addresses, ports, records }: ServicePools, { kind }: Resource, object: KubernetesObject): void {
  const isRecord = kind.resource === 'ipaddresses'
  for (const taken of kind.allocations?.(object) ?? [])
    if (typeof taken === 'number') ports.release(taken)
    else {
      addresses.release(taken)
      if (!isRecord) void records.remove(taken)
    }
}
