/** Amounts of resources as the scheduler adds them up: CPU in thousandths, all others in whole units. */
import type { Container, Pod, PodSpec } from '#api/core/v1.gen.ts'
import { quantityMilliValue, quantityToNumber } from '#machinery/quantity.ts'

export type Resources = {
  milliCpu: number
  memory: number
  ephemeralStorage: number
  /** Extended resources and huge pages, by name. */
  readonly scalar: Map<string, number>
}

export const emptyResources = (): Resources => ({ milliCpu: 0, memory: 0, ephemeralStorage: 0, scalar: new Map() })

export type ResourceList = Readonly<Record<string, string>>

export function toResources(list: ResourceList | undefined): Resources {
  const resources = emptyResources()
  for (const [name, quantity] of Object.entries(list ?? {})) setAmount(resources, name, amountOf(name, quantity))
  return resources
}

function amountOf(name: string, quantity: string): number {
  return name === 'cpu' ? quantityMilliValue(quantity) : quantityToNumber(quantity)
}

function setAmount(resources: Resources, name: string, amount: number): void {
  if (name === 'cpu') resources.milliCpu = amount
  else if (name === 'memory') resources.memory = amount
  else if (name === 'ephemeral-storage') resources.ephemeralStorage = amount
  else if (name !== 'pods') resources.scalar.set(name, amount)
}

export function addResources(target: Resources, other: Resources, sign: 1 | -1 = 1): void {
  target.milliCpu += sign * other.milliCpu
  target.memory += sign * other.memory
  target.ephemeralStorage += sign * other.ephemeralStorage
  for (const [name, amount] of other.scalar) target.scalar.set(name, (target.scalar.get(name) ?? 0) + sign * amount)
}

function maxResources(target: Resources, other: Resources): void {
  target.milliCpu = Math.max(target.milliCpu, other.milliCpu)
  target.memory = Math.max(target.memory, other.memory)
  target.ephemeralStorage = Math.max(target.ephemeralStorage, other.ephemeralStorage)
  for (const [name, amount] of other.scalar) target.scalar.set(name, Math.max(target.scalar.get(name) ?? 0, amount))
}

const isSidecar = (container: Container): boolean => container.restartPolicy === 'Always'

/** Requests that count for scores where a container asks for nothing, so that such pods spread too (upstream's defaults). */
export const DEFAULT_MILLI_CPU = 100
export const DEFAULT_MEMORY_BYTES = 200 * 1024 * 1024

/**
 * What a pod needs while it runs: all containers and sidecars together, or the hungriest moment of its init containers, plus
 * overhead; pod-level requests win over the sum (upstream's PodRequests).
 */
export function podRequests(pod: Pod, options: { readonly defaults: boolean } = { defaults: false }): Resources {
  const requestsOf = (container: Container): Resources => containerRequests(container, pod, options.defaults)
  const running = emptyResources()
  for (const container of pod.spec.containers) addResources(running, requestsOf(container))
  const sidecars = emptyResources()
  const initPeak = emptyResources()
  for (const container of pod.spec.initContainers ?? []) {
    const moment = requestsOf(container)
    if (isSidecar(container)) {
      addResources(running, moment)
      addResources(sidecars, moment)
      maxResources(initPeak, sidecars)
    } else {
      addResources(moment, sidecars)
      maxResources(initPeak, moment)
    }
  }
  maxResources(running, initPeak)
  applyPodLevel(running, pod.spec)
  addResources(running, toResources(pod.spec.overhead))
  return running
}

function containerRequests(container: Container, pod: Pod, defaults: boolean): Resources {
  const allocated = pod.status?.containerStatuses?.find((status) => status.name === container.name)?.allocatedResources
  const requests = toResources(container.resources?.requests)
  // A resize in progress holds both what is asked and what the node has already given.
  if (allocated !== undefined) maxResources(requests, toResources(allocated))
  if (defaults) {
    if (container.resources?.requests?.['cpu'] === undefined) requests.milliCpu = DEFAULT_MILLI_CPU
    if (container.resources?.requests?.['memory'] === undefined) requests.memory = DEFAULT_MEMORY_BYTES
  }
  return requests
}

function applyPodLevel(resources: Resources, spec: PodSpec): void {
  for (const [name, quantity] of Object.entries(spec.resources?.requests ?? {}))
    setAmount(resources, name, amountOf(name, quantity))
}
