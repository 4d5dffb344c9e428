/** What a ResourceQuota says to one more object: refused, of no concern, or its usage afterwards. Pure. */
import type { Container, Pod, ResourceQuota } from '#api/core/v1.gen.ts'
import { isPodLevelResource } from '#api/core/pod-spec/resource-names.ts'
import { addAmounts, formatAmounts, maskAmounts, namesAbove, type Amounts } from '#api/core/resource-quota/amounts.ts'
import { computeUsage } from '#api/core/resource-quota/pod-usage.ts'

/** A pod has to say how much it wants of these when a quota limits them. */
const MUST_BE_SET = new Set(['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'])

/** A text when containers leave out what a quota counts; null when all is said. */
export function missingAmounts({ spec }: Pod, resources: readonly string[]): string | null {
  // Who asks for something as a whole need not say more.
  if (Object.keys({ ...spec.resources?.requests, ...spec.resources?.limits }).some(isPodLevelResource)) return null
  const names = resources.filter((name) => MUST_BE_SET.has(name)).toSorted()
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])]
  const texts = names.flatMap((name) => {
    const missing = containers.filter((container) => usageOfContainer(container)[name] === undefined)
    return missing.length === 0
      ? []
      : [
          `${name} for: ${missing
            .map((container) => container.name)
            .toSorted()
            .join(',')}`,
        ]
  })
  return texts.length === 0 ? null : `must specify ${texts.join('; ')}`
}

const usageOfContainer = ({ resources }: Container): Amounts =>
  computeUsage(resources?.requests ?? {}, resources?.limits ?? {})

/** Null when the quota's controller has counted all of `resources`. */
export function uncountedResources({ metadata, status }: ResourceQuota, resources: readonly string[]): string | null {
  const isCounted = resources.every((name) => status?.used?.[name] !== undefined)
  return isCounted ? null : `status unknown for quota: ${metadata.name}, resources: ${resources.toSorted().join(',')}`
}

export type Verdict = { readonly used: Amounts } | { readonly refusal: string }

/** Without `isEnforced` what has happened already is only counted. */
export function chargeQuota({ metadata, status }: ResourceQuota, delta: Amounts, isEnforced: boolean): Verdict {
  const [hard, used] = [status?.hard ?? {}, status?.used ?? {}]
  const requested = maskAmounts(delta, Object.keys(hard))
  const next = addAmounts(used, requested)
  const exceeded = namesAbove(maskAmounts(next, Object.keys(requested)), hard)
  if (exceeded.length === 0 || !isEnforced) return { used: next }
  const [asked, taken, bound] = [requested, used, hard].map((amounts) => formatAmounts(maskAmounts(amounts, exceeded)))
  return {
    refusal: `exceeded quota: ${metadata.name}, requested: ${asked}, used: ${taken}, limited: ${bound}`,
  }
}
