/** Decides what a ResourceQuota's status has to say, and which changes of objects can make room in one. */
import type { ContainerStatus, PersistentVolumeClaim, Pod, ResourceQuota, Service } from '#api/core/v1.gen.ts'
import { attributesClassesOf } from '#api/core/persistent-volume-claim/attributes-classes.ts'
import { addAmounts, isSameAmounts, maskAmounts, type Amounts } from '#api/core/resource-quota/amounts.ts'
import { isPodOver } from '#api/core/resource-quota/pod-usage.ts'
import { isInScopes, isTerminating } from '#api/core/resource-quota/scopes.ts'
import { resourcesOf, usageOf, type Counted } from '#api/core/resource-quota/usage.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'

export const hardNames = ({ spec }: ResourceQuota): string[] => Object.keys(spec?.hard ?? {})

/** Sums up what the objects of a quota's namespace use, kind by kind. */
export class UsageSum {
  readonly #quota: ResourceQuota
  readonly #nowMs: number
  #used: Amounts = {}

  constructor(quota: ResourceQuota, nowMs: number) {
    this.#quota = quota
    this.#nowMs = nowMs
  }

  add(kind: Counted, objects: readonly KubernetesObject[]): void {
    const names = resourcesOf(kind, hardNames(this.#quota))
    if (names.length === 0) return
    // Also without objects: admission trusts only what has been counted.
    this.#used = addAmounts(this.#used, Object.fromEntries(names.map((name) => [name, '0'])))
    for (const object of objects)
      if (isInScopes(this.#quota, kind, object))
        this.#used = addAmounts(this.#used, maskAmounts(usageOf(kind, object, this.#nowMs), names))
  }

  total(): Amounts {
    return this.#used
  }
}

/** The quota with the status that this usage makes; null when it says so already. Of what nobody counts, the old number stays. */
export function planStatus(quota: ResourceQuota, usage: Amounts): ResourceQuota | null {
  const { spec, status } = quota
  const hard = spec?.hard ?? {}
  const used = maskAmounts({ ...status?.used, ...usage }, Object.keys(hard))
  const isWritten = status?.hard !== undefined && status.used !== undefined
  if (isWritten && isSameAmounts(status.hard!, hard) && isSameAmounts(status.used!, used)) return null
  return { ...quota, status: { hard: { ...hard }, used: { ...used } } }
}

/** Whether a change can let go of something that a quota counts. */
export function canReplenish(
  { group, resource }: Counted,
  object: KubernetesObject,
  old: KubernetesObject,
  nowMs: number,
): boolean {
  if (group !== '') return false
  switch (resource) {
    case 'pods':
      return podCanReplenish(object as Pod, old as Pod, nowMs)
    case 'services':
      return countedType(object as Service) !== countedType(old as Service)
    case 'persistentvolumeclaims':
      return claimCanReplenish(object as PersistentVolumeClaim, old as PersistentVolumeClaim)
    default:
      return false
  }
}

function podCanReplenish(pod: Pod, old: Pod, nowMs: number): boolean {
  if (isTerminating(pod.spec) !== isTerminating(old.spec)) return true
  if (!isPodOver(old, nowMs) && isPodOver(pod, nowMs)) return true
  return haveResourcesChanged(pod, old)
}

function haveResourcesChanged({ status }: Pod, old: Pod): boolean {
  const lists = ['containerStatuses', 'initContainerStatuses'] as const
  const hasChanged = (before: ContainerStatus, now: readonly ContainerStatus[]): boolean => {
    const known = now.find(({ name }) => name === before.name)
    return known !== undefined && !isSemanticallyEqual(known.resources, before.resources)
  }
  return lists.some((list) => (old.status?.[list] ?? []).some((before) => hasChanged(before, status?.[list] ?? [])))
}

const countedType = ({ spec: { type } }: Service): string =>
  type === 'NodePort' || type === 'LoadBalancer' ? type : ''

function claimCanReplenish(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): boolean {
  const [now, before] = [claim, old].map((object) => new Set(attributesClassesOf(object)))
  return (
    now!.symmetricDifference(before!).size > 0 ||
    claim.status?.allocatedResources?.['storage'] !== old.status?.allocatedResources?.['storage']
  )
}

/** When the next pod that is being deleted stops counting although its node is silent; null when there is none. */
export function nextReleaseMs(pods: readonly Pod[], nowMs: number): number | null {
  const times = pods.flatMap(({ metadata: { deletionTimestamp, deletionGracePeriodSeconds } }) => {
    if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return []
    const leftMs = Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000 - nowMs
    return leftMs < 0 ? [] : [leftMs + 1]
  })
  return times.length === 0 ? null : Math.min(...times)
}
