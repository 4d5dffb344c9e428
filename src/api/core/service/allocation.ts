/** Gives Services their addresses and node ports: decides here, takes from the allocators that the API server passes in. */
import type { Service } from '#api/core/v1.gen.ts'
import { type FieldError, invalidFrom, invalidValue } from '#machinery/field-error.ts'
import { keepAllocated, normalizeClusterIps, otherFamily } from './cluster-ips.ts'
import { validateClusterIps } from './cluster-ip-validation.ts'
import {
  familyOf,
  isHeadless,
  needsHealthCheckPort,
  needsNodePort,
  NO_CLUSTER_IP,
  sameClusterIps,
  sameTexts,
} from './service-rules.ts'

/** What a write needs of the allocators, one thing at a time; the answer to `take` is what was taken. */
export type AllocationStep =
  | { readonly take: 'address'; readonly family: string; readonly wanted: string }
  | { readonly take: 'port'; readonly wanted: number }
  | { readonly release: string | number }

/** The allocator refuses what the client asked for; the message says why. */
export class AllocationError extends Error {}

type Steps = Generator<AllocationStep, void, string | number>

/**
 * One write's hold on addresses and ports. What is taken is given back when the write fails, what is released goes when it
 * succeeds; both are the API server's business. Refusals throw AllocationError.
 */
export interface ServiceAllocator {
  /** `IPv4`, `IPv6` or both, the first is the default. */
  readonly families: readonly string[]
  /** Any address of the family when `wanted` is empty. */
  takeAddress(family: string, wanted: string): Promise<string>
  /** Any node port when `wanted` is 0. */
  takePort(wanted: number): Promise<number>
  release(addressOrPort: string | number): void
}

/** Before prepareForCreate and prepareForUpdate. Changes the service; throws StatusError 422. */
export async function allocateService(
  service: Service,
  old: Service | null,
  allocator: ServiceAllocator,
): Promise<void> {
  const steps = allocationSteps(service, old, allocator.families)
  let next = steps.next()
  while (next.done !== true) {
    const step = next.value
    try {
      const taken = await perform(step, allocator)
      next = steps.next(taken)
    } catch (error) {
      if (!(error instanceof AllocationError)) throw error
      next = steps.throw(error)
    }
  }
}

async function perform(step: AllocationStep, allocator: ServiceAllocator): Promise<string | number> {
  if ('release' in step) {
    allocator.release(step.release)
    return ''
  }
  return step.take === 'address' ? allocator.takeAddress(step.family, step.wanted) : allocator.takePort(step.wanted)
}

/** The decisions alone, for whoever holds the addresses. */
export function* allocationSteps(service: Service, old: Service | null, families: readonly string[]): Steps {
  if (old !== null) keepAllocated(service, old)
  normalizeClusterIps(service, old)
  settleFamilies(service, old, families)
  yield* settleAddresses(service, old)
  yield* settleNodePorts(service, old)
  yield* settleHealthCheckPort(service, old)
}

/** What goes back when a Service is deleted. */
export function allocationsOf({ spec }: Service): (string | number)[] {
  const addresses = (spec.clusterIPs ?? []).filter((address) => address !== NO_CLUSTER_IP)
  const ports = [...(spec.ports ?? []).map(({ nodePort }) => nodePort ?? 0), spec.healthCheckNodePort ?? 0]
  return [...addresses, ...new Set(ports.filter((port) => port !== 0))]
}

function refuse(service: Service, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalidFrom({ group: '', kind: 'Service' }, service.metadata.name ?? '', errors)
}

/** spec.ipFamilyPolicy and spec.ipFamilies, from what is given and what the cluster has. */
function settleFamilies(service: Service, old: Service | null, families: readonly string[]): void {
  const { spec } = service
  if (spec.type === 'ExternalName' || isUnchangedDualStack(service, old)) return
  const isForeign = spec.clusterIP === NO_CLUSTER_IP && Object.keys(spec.selector ?? {}).length === 0
  spec.ipFamilyPolicy ??= old?.spec.ipFamilyPolicy ?? (isForeign ? 'RequireDualStack' : 'SingleStack')
  refuse(service, validateClusterIps(service, old))
  if (old !== null) dropSecondary(service, old)
  refuse(service, policyErrors(service, old))
  refuse(service, addFamiliesOfAddresses(service, families))
  if (isForeign) return completeForeign(service, families)
  const errors: FieldError[] = []
  if (spec.ipFamilyPolicy === 'RequireDualStack' && families.length < 2)
    errors.push(
      invalidValue(
        'spec.ipFamilyPolicy',
        spec.ipFamilyPolicy,
        'this cluster is not configured for dual-stack services',
      ),
    )
  for (const [i, family] of (spec.ipFamilies ?? []).entries())
    if (!families.includes(family))
      errors.push(invalidValue(`spec.ipFamilies[${i}]`, family, 'not configured on this cluster'))
  refuse(service, errors)
  const chosen = (spec.ipFamilies ??= [])
  if (chosen.length === 0) chosen.push(families[0]!)
  if (spec.ipFamilyPolicy !== 'SingleStack' && chosen.length === 1 && families.length === 2)
    chosen.push(otherFamily(chosen[0]!))
}

/** A Service that prefers two families and already has all that the cluster can give. */
function isUnchangedDualStack(service: Service, old: Service | null): boolean {
  if (old === null) return false
  if (service.spec.ipFamilyPolicy !== 'PreferDualStack' || old.spec.ipFamilyPolicy !== 'PreferDualStack') return false
  return (
    service.spec.type === old.spec.type &&
    sameTexts(service.spec.ipFamilies, old.spec.ipFamilies) &&
    sameClusterIps(service, old)
  )
}

/** Back to one family: what the client has not touched shrinks by itself. */
function dropSecondary(service: Service, old: Service): void {
  const { spec } = service
  if (spec.ipFamilyPolicy !== 'SingleStack') return
  const isSameFamilies = sameTexts(spec.ipFamilies, old.spec.ipFamilies)
  if (sameClusterIps(service, old) && (spec.clusterIPs ?? []).length > 1) spec.clusterIPs = spec.clusterIPs!.slice(0, 1)
  if (isSameFamilies && (spec.ipFamilies ?? []).length > 1) spec.ipFamilies = spec.ipFamilies!.slice(0, 1)
}

function policyErrors({ spec }: Service, old: Service | null): FieldError[] {
  const path = 'spec.ipFamilyPolicy'
  const policy = spec.ipFamilyPolicy
  const isSingle = policy === 'SingleStack'
  const errors: FieldError[] = []
  for (const [field, words] of [
    ['clusterIPs', ['cluster IP', 'cluster IPs']],
    ['ipFamilies', ['IP family', 'IP families']],
  ] as const) {
    const count = (spec[field] ?? []).length
    const before = (old?.spec[field] ?? []).length
    // Fewer than before, but not none: the client wants to give one up.
    if (!isSingle && count > 0 && count < before)
      errors.push(invalidValue(path, policy, `must be 'SingleStack' to release the secondary ${words[0]}`))
    if (isSingle && count === 2)
      errors.push(
        invalidValue(
          path,
          policy,
          `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${words[1]} are specified`,
        ),
      )
  }
  return errors
}

function addFamiliesOfAddresses({ spec }: Service, families: readonly string[]): FieldError[] {
  const errors: FieldError[] = []
  for (const [i, address] of (spec.clusterIPs ?? []).entries()) {
    if (address === NO_CLUSTER_IP) break
    const family = familyOf(address)
    if (i < (spec.ipFamilies ?? []).length) continue
    if (families.includes(family)) (spec.ipFamilies ??= []).push(family)
    else
      errors.push(invalidValue(`spec.clusterIPs[${i}]`, spec.clusterIPs, `${family} is not configured on this cluster`))
  }
  return errors
}

/** A headless Service without selector: someone else writes its endpoints, of any family. */
function completeForeign({ spec }: Service, families: readonly string[]): void {
  const chosen = (spec.ipFamilies ??= [])
  if (chosen.length === 0) chosen.push(families[0]!)
  if (chosen.length < 2 && spec.ipFamilyPolicy !== 'SingleStack') chosen.push(otherFamily(chosen[0]!))
}

function* settleAddresses(service: Service, old: Service | null): Steps {
  if (isUnchangedDualStack(service, old)) return
  if (old === null || old.spec.type === 'ExternalName') return yield* takeAddresses(service, 0)
  if (isHeadless(old)) return
  const before = old.spec.clusterIPs ?? []
  if (service.spec.type === 'ExternalName') {
    for (const address of before) yield { release: address }
    return
  }
  const count = (service.spec.ipFamilies ?? []).length
  if ((old.spec.ipFamilies ?? []).length === 1 && count === 2) yield* takeAddresses(service, 1)
  else if ((old.spec.ipFamilies ?? []).length === 2 && count === 1) yield { release: before[1]! }
}

function* takeAddresses(service: Service, from: number): Steps {
  const { spec } = service
  if (spec.type === 'ExternalName' || isHeadless(service)) return
  for (const [i, family] of (spec.ipFamilies ?? []).entries()) {
    if (i < from) continue
    const addresses = (spec.clusterIPs ??= [])
    const wanted = addresses[i] ?? ''
    addresses[i] = wanted
    try {
      addresses[i] = String(yield { take: 'address', family, wanted })
    } catch (error) {
      if (!(error instanceof AllocationError)) throw error
      const which = wanted === '' ? '' : ` ${wanted}`
      refuse(service, [invalidValue('spec.clusterIPs', addresses, `failed to allocate IP${which}: ${error.message}`)])
    }
    if (i === 0) spec.clusterIP = addresses[0]!
  }
}

function* settleNodePorts(service: Service, old: Service | null): Steps {
  const before = old === null || !needsNodePort(old) ? [] : nodePortsOf(old)
  if (needsNodePort(service)) yield* takeNodePorts(service, before)
  const after = needsNodePort(service) ? nodePortsOf(service) : []
  for (const port of new Set(before)) if (!after.includes(port)) yield { release: port }
}

function nodePortsOf({ spec }: Service): number[] {
  return (spec.ports ?? []).map(({ nodePort }) => nodePort ?? 0).filter((port) => port !== 0)
}

/** Ports of the same number (TCP and UDP) share one node port. */
function* takeNodePorts(service: Service, held: readonly number[]): Steps {
  const { spec } = service
  const isOptional = spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts === false
  const taken = new Set(held)
  const byPort = new Map<number, number>()
  for (const port of spec.ports ?? []) if (port.nodePort && !byPort.has(port.port)) byPort.set(port.port, port.nodePort)
  for (const [i, port] of (spec.ports ?? []).entries()) {
    if (!port.nodePort && isOptional) continue
    const wanted = port.nodePort || (held.length === 0 ? (byPort.get(port.port) ?? 0) : 0)
    if (wanted !== 0 && taken.has(wanted)) port.nodePort = wanted
    else {
      port.nodePort = yield* takePort(service, wanted, `spec.ports[${i}].nodePort`)
      taken.add(port.nodePort)
    }
    if (!byPort.has(port.port)) byPort.set(port.port, port.nodePort)
  }
}

function* takePort(service: Service, wanted: number, path: string): Generator<AllocationStep, number, string | number> {
  try {
    return Number(yield { take: 'port', wanted })
  } catch (error) {
    if (!(error instanceof AllocationError)) throw error
    refuse(service, [invalidValue(path, wanted, error.message)])
    throw error
  }
}

function* settleHealthCheckPort(service: Service, old: Service | null): Steps {
  const { spec } = service
  const needed = old !== null && needsHealthCheckPort(old)
  const needs = needsHealthCheckPort(service)
  if (!needed && needs)
    spec.healthCheckNodePort = yield* takePort(service, spec.healthCheckNodePort ?? 0, 'spec.healthCheckNodePort')
  else if (needed && !needs && old.spec.healthCheckNodePort) yield { release: old.spec.healthCheckNodePort }
}
