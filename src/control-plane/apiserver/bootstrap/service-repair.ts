/** Mends what a crash between two writes left: addresses without a Service, Services without the record of their address. */
import { isIPv6 } from 'node:net'
import type { Service } from '#api/core/v1.gen.ts'
import { addressNumber, containsCidr, parseCidr } from '#api/cidr.ts'
import type { IPAddress } from '#api/networking/v1.gen.ts'
import { IPADDRESSES, SERVICECIDRS, SERVICES } from '#api/resources.gen.ts'
import type { Clock } from '#base/clock.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/event-recorder.ts'
import { isAlreadyExists, isNotFound } from '#machinery/status-error.ts'
import { planAddressRepair, type Repair } from '../registry/plan-address-repair.ts'
import { portProblems } from '../registry/plan-port-repair.ts'
import { recordOf } from '../registry/service-addresses.ts'
import type { NodePortRange } from '../resource-backend.ts'

export type ServiceRepairOptions = {
  readonly client: Client
  readonly clock: Clock
  readonly nodePortRange: NodePortRange
  /** Of the controllers that upstream's server has for addresses and for ports. */
  readonly events: { readonly addresses: EventRecorder; readonly ports: EventRecorder }
}

export async function repairServices(options: ServiceRepairOptions): Promise<void> {
  const { client, clock, nodePortRange, events } = options
  // An address is there before its Service: read in this order, no Service seems to lack what it has.
  const { items: services } = await client.list(SERVICES, '')
  const { items: addresses } = await client.list(IPADDRESSES, '')
  const { items: ranges } = await client.list(SERVICECIDRS, '')
  const cidrs = ranges.flatMap(({ spec }) => spec?.cidrs ?? []).flatMap((text) => parseCidr(text) ?? [])
  const isInRange = (address: string): boolean => {
    const bits = isIPv6(address) ? 128 : 32
    return cidrs.some((cidr) => containsCidr(cidr, { address: addressNumber(address), bits, prefix: bits }))
  }
  for (const repair of planAddressRepair({ services, addresses, isInRange, nowMs: clock.now() })) {
    if (!(await isCurrent(client, repair))) continue
    if (repair.reason !== '')
      events.addresses.event(referenceTo(repair.about), 'Warning', repair.reason, repair.message)
    await mend(client, repair)
  }
  for (const { about, reason, message } of portProblems(services, nodePortRange))
    events.ports.event(referenceTo(about), 'Warning', reason, message)
}

/** A Service that went meanwhile has let its address go. */
async function isCurrent(client: Client, { about, mend: action }: Repair): Promise<boolean> {
  if (action === null || 'remove' in action) return true
  const { namespace = '', name } = about.metadata
  const service = await client.get(SERVICES, namespace, name).catch((error: unknown) => {
    if (isNotFound(error)) return null
    throw error
  })
  return service?.spec.clusterIPs?.includes(action.create) ?? false
}

async function mend(client: Client, { about, mend: action }: Repair): Promise<void> {
  if (action === null) return
  const gone = (error: unknown): void => {
    if (!isNotFound(error)) throw error
  }
  if ('remove' in action) return void (await client.delete(IPADDRESSES, '', action.remove).catch(gone))
  if (action.replaces) await client.delete(IPADDRESSES, '', action.create).catch(gone)
  await client.create(IPADDRESSES, recordOf(action.create, about as Service)).catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error // Somebody else has mended it.
  })
}

function referenceTo(about: Service | IPAddress) {
  const { namespace, name, uid, resourceVersion } = about.metadata
  const kind =
    'clusterIPs' in about.spec || about.kind === 'Service' || namespace !== undefined ? 'Service' : 'IPAddress'
  return {
    apiVersion: kind === 'Service' ? 'v1' : 'networking.k8s.io/v1',
    kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    uid: uid!,
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  }
}
