/** Keeps namespaces within their ResourceQuotas: what a write adds is counted in the quotas before it is stored. */
import type { Pod, ResourceQuota } from '#api/core/v1.gen.ts'
import type { Clock } from '#base/clock.ts'
import { refuse, type AdmissionAttributes, type AdmissionPlugin } from '../admission.ts'
import type { ClusterReader } from '../cluster-reader.ts'
import { subtractAmounts, type Amounts } from './amounts.ts'
import { chargeQuota, missingAmounts, uncountedResources } from './check-quota.ts'
import { isInScopes } from './scopes.ts'
import { resourcesOf, usageOf } from './usage.ts'

/** Writes the status that `change` makes of the newest version of a quota; what `change` throws refuses the write. */
export type QuotaWriter = (
  namespace: string,
  name: string,
  change: (quota: ResourceQuota) => ResourceQuota,
) => Promise<void>

/** Kinds whose changes can use more, beside new objects; pods only by their subresource. */
const CHANGING = new Set(['services', 'persistentvolumeclaims'])

export function createResourceQuota(cluster: ClusterReader, clock: Clock, write: QuotaWriter): AdmissionPlugin {
  const turns = new Map<string, Promise<void>>()
  return {
    name: 'ResourceQuota',
    async validate(attributes) {
      if (!isCounted(attributes)) return
      const { namespace } = attributes
      // One write of a namespace at a time: two that fit alone may not fit together.
      const before = turns.get(namespace) ?? Promise.resolve()
      const turn = before.then(() => charge(cluster, clock, write, attributes))
      const settled = turn.catch(() => {}) // Reported to whoever waits for `turn`.
      turns.set(namespace, settled)
      try {
        await turn
      } finally {
        if (turns.get(namespace) === settled) turns.delete(namespace)
      }
    },
  }
}

function isCounted({ operation, kind, subresource, namespace }: AdmissionAttributes): boolean {
  if (namespace === '' || !kind.namespaced) return false
  if (operation === 'CREATE') return subresource === ''
  if (operation !== 'UPDATE' || kind.group !== '') return false
  return kind.resource === 'pods' ? subresource === 'resize' : subresource === '' && CHANGING.has(kind.resource)
}

async function charge(
  cluster: ClusterReader,
  clock: Clock,
  write: QuotaWriter,
  attributes: AdmissionAttributes,
): Promise<void> {
  const { namespace, dryRun } = attributes
  const quotas = await cluster.list<ResourceQuota>('', 'resourcequotas', namespace)
  const concerned = quotas.filter((quota) => concerns(quota, attributes))
  for (const quota of concerned) checkComplete(quota, attributes)
  const delta = deltaOf(attributes, clock.now())
  const charged = concerned.filter((quota) =>
    Object.keys(delta).some((name) => quota.status?.hard?.[name] !== undefined),
  )
  for (const quota of charged) chargeOrRefuse(quota, delta, attributes)
  if (dryRun) return
  for (const quota of charged)
    await write(namespace, quota.metadata.name, (current) => chargeOrRefuse(current, delta, attributes))
}

const hardNames = ({ status }: ResourceQuota): string[] => Object.keys(status?.hard ?? {})

function concerns(quota: ResourceQuota, { kind, object }: AdmissionAttributes): boolean {
  return resourcesOf(kind, hardNames(quota)).length > 0 && isInScopes(quota, kind, object!)
}

function checkComplete(quota: ResourceQuota, attributes: AdmissionAttributes): void {
  const { kind, object } = attributes
  const resources = resourcesOf(kind, hardNames(quota))
  const isPod = kind.group === '' && kind.resource === 'pods'
  const missing = isPod ? missingAmounts(object as Pod, resources) : null
  if (missing !== null) throw refuse(attributes, `failed quota: ${quota.metadata.name}: ${missing}`)
  const uncounted = uncountedResources(quota, resources)
  if (uncounted !== null) throw refuse(attributes, uncounted)
}

function deltaOf({ kind, object, oldObject }: AdmissionAttributes, nowMs: number): Amounts {
  const before = oldObject === null ? {} : usageOf(kind, oldObject, nowMs)
  return subtractAmounts(usageOf(kind, object!, nowMs), before)
}

function chargeOrRefuse(quota: ResourceQuota, delta: Amounts, attributes: AdmissionAttributes): ResourceQuota {
  const verdict = chargeQuota(quota, delta)
  if ('refusal' in verdict) throw refuse(attributes, verdict.refusal)
  return { ...quota, status: { ...quota.status, used: { ...verdict.used } } }
}
