/** Keeps namespaces within their ResourceQuotas: what a write adds is counted in the quotas before it is stored. */
import type { Pod, ResourceQuota } from '#api/core/v1.gen.ts'
import { excessOf, namesAbove, type Amounts } from '#api/core/resource-quota/amounts.ts'
import { isInScope, isInScopes, isTerminating, scopesOf } from '#api/core/resource-quota/scopes.ts'
import { isUncounted, resourcesOf, usageOf } from '#api/core/resource-quota/usage.ts'
import type { Clock } from '#base/clock.ts'
import { StatusError } from '#machinery/status-error.ts'
import { refuse, type AdmissionAttributes, type AdmissionPlugin } from '../admission.ts'
import type { ClusterReader } from '../cluster-reader.ts'
import { chargeQuota, missingAmounts, uncountedResources } from './check-quota.ts'
import { limitedNames, type LimitedResource } from './limited-resources.ts'

/** Writes the status that `change` makes of the newest version of a quota; what `change` throws refuses the write. */
export type QuotaWriter = (
  namespace: string,
  name: string,
  change: (quota: ResourceQuota) => ResourceQuota,
) => Promise<void>

type Parts = {
  readonly cluster: ClusterReader
  readonly clock: Clock
  readonly write: QuotaWriter
  readonly limited: readonly LimitedResource[]
}

export function createResourceQuota(
  cluster: ClusterReader,
  clock: Clock,
  write: QuotaWriter,
  limited: readonly LimitedResource[] = [],
): AdmissionPlugin {
  const turns = new Map<string, Promise<void>>()
  return {
    name: 'ResourceQuota',
    async validate(attributes) {
      if (!isCounted(attributes)) return
      const { namespace } = attributes
      // One write of a namespace at a time: two that fit alone may not fit together.
      const before = turns.get(namespace) ?? Promise.resolve()
      const turn = before.then(() => charge({ cluster, clock, write, limited }, attributes))
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

/** New objects, and those changes of objects that can use more. */
function isCounted(attributes: AdmissionAttributes): boolean {
  const { operation, kind, subresource, namespace } = attributes
  if (namespace === '' || !kind.namespaced || isUncounted(kind)) return false
  if (operation === 'CREATE') return subresource === ''
  if (operation !== 'UPDATE' || kind.group !== '') return false
  switch (kind.resource) {
    case 'pods':
      return subresource === 'resize' || (subresource === '' && changesScope(attributes))
    case 'services':
      return subresource === ''
    case 'persistentvolumeclaims':
      return subresource === '' || subresource === 'status'
    default:
      return false
  }
}

function changesScope({ object, oldObject }: AdmissionAttributes): boolean {
  return isTerminating((object as Pod).spec) !== isTerminating((oldObject as Pod).spec)
}

async function charge(parts: Parts, attributes: AdmissionAttributes): Promise<void> {
  const { cluster, clock, write, limited } = parts
  const { namespace, dryRun } = attributes
  const quotas = await cluster.list<ResourceQuota>('', 'resourcequotas', namespace)
  if (quotas.length === 0 && limited.length === 0) return
  const concerned = quotas.filter((quota) => concerns(quota, attributes))
  for (const quota of concerned) checkComplete(quota, attributes)
  const usage = usageNow(attributes, clock.now())
  const deltas = concerned.map((quota) => ({ quota, delta: deltaOf(quota, attributes, usage, clock.now()) }))
  if (limited.length > 0) checkCovered(limited, { quotas, deltas, usage }, attributes, clock.now())
  const charged = deltas.filter(({ quota, delta }) =>
    Object.keys(delta).some((name) => quota.status?.hard?.[name] !== undefined),
  )
  for (const { quota, delta } of charged) chargeOrRefuse(quota, delta, attributes)
  if (dryRun) return
  for (const { quota, delta } of charged)
    await write(namespace, quota.metadata.name, (current) => chargeOrRefuse(current, delta, attributes))
}

type Counts = {
  readonly quotas: readonly ResourceQuota[]
  readonly deltas: readonly { readonly quota: ResourceQuota; readonly delta: Amounts }[]
  readonly usage: Amounts
}

/** What the cluster limits by default is refused where no quota allows it. */
function checkCovered(
  limited: readonly LimitedResource[],
  { quotas, deltas, usage }: Counts,
  attributes: AdmissionAttributes,
  nowMs: number,
): void {
  const { kind, object, oldObject } = attributes
  const alone = excessOf(usage, oldObject === null ? {} : usageOf(kind, oldObject, nowMs))
  const changes = deltas.length === 0 ? [alone] : deltas.map(({ delta }) => delta)
  if (changes.every((delta) => Object.keys(delta).length === 0)) return
  const covered = new Set(deltas.flatMap(({ quota }) => resourcesOf(kind, hardNames(quota))))
  const missing = limitedNames(usage, kind, limited).filter((name) => !covered.has(name))
  if (missing.length > 0)
    throw refuse(attributes, `insufficient quota to consume: ${[...new Set(missing)].toSorted().join(',')}`)
  const coveredScopes = new Set(
    quotas
      .flatMap(scopesOf)
      .filter((scope) => isInScope(kind, object!, scope))
      .map(({ scopeName }) => scopeName),
  )
  const scopes = limited
    .flatMap(({ matchScopes = [] }) => matchScopes)
    .filter((scope) => isInScope(kind, object!, scope) && !coveredScopes.has(scope.scopeName))
  if (scopes.length === 0) return
  const texts = scopes.map(({ scopeName, operator, values = [] }) => `{${scopeName} ${operator} [${values.join(' ')}]}`)
  const message = `insufficient quota to match these scopes: [${texts.join(' ')}]`
  throw new StatusError({ code: 500, reason: '', message })
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

function usageNow(attributes: AdmissionAttributes, nowMs: number): Amounts {
  const usage = usageOf(attributes.kind, attributes.object!, nowMs)
  const negative = namesAbove(Object.fromEntries(Object.keys(usage).map((name) => [name, '0'])), usage).toSorted()
  if (negative.length > 0) throw refuse(attributes, `quota usage is negative for resource(s): ${negative.join(',')}`)
  return usage
}

/** What a change gives back is counted later, by the quota's controller. */
function deltaOf(quota: ResourceQuota, attributes: AdmissionAttributes, usage: Amounts, nowMs: number): Amounts {
  const { kind, oldObject } = attributes
  const wasCounted = oldObject !== null && isInScopes(quota, kind, oldObject)
  return excessOf(usage, wasCounted ? usageOf(kind, oldObject, nowMs) : {})
}

function chargeOrRefuse(quota: ResourceQuota, delta: Amounts, attributes: AdmissionAttributes): ResourceQuota {
  const verdict = chargeQuota(quota, delta, attributes.subresource !== 'status')
  if ('refusal' in verdict) throw refuse(attributes, verdict.refusal)
  return { ...quota, status: { ...quota.status, used: { ...verdict.used } } }
}
