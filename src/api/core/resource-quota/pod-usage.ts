/** What one pod counts for in a ResourceQuota. Pure. */
import type { Container, ContainerStatus, Pod } from '#api/core/v1.gen.ts'
import { aggregateResources } from '#api/core/pod-spec/aggregate-resources.ts'
import { isPodLevelResource } from '#api/core/pod-spec/resource-names.ts'
import { isZeroQuantity } from '#machinery/quantity.ts'
import { addAmounts, maxAmounts, type Amounts } from './amounts.ts'

const COMPUTE = ['cpu', 'memory', 'ephemeral-storage']

/** Amounts under the names that quotas have for them. */
export function computeUsage(requests: Amounts, limits: Amounts): Amounts {
  const usage: Record<string, string> = {}
  for (const [name, amount] of Object.entries(requests)) {
    const isExtended = !COMPUTE.includes(name) && !name.startsWith('hugepages-')
    if (!isExtended) usage[name] = amount
    if (!isExtended || name.includes('/')) usage[`requests.${name}`] = amount
  }
  for (const name of COMPUTE) if (limits[name] !== undefined) usage[`limits.${name}`] = limits[name]
  return usage
}

/** Ended, or past its grace period on a node that does not answer: it counts as an object only. */
export function isPodOver({ metadata, status }: Pod, nowMs: number): boolean {
  if (status?.phase === 'Failed' || status?.phase === 'Succeeded') return true
  if (metadata.deletionTimestamp === undefined || metadata.deletionGracePeriodSeconds === undefined) return false
  return nowMs > Date.parse(metadata.deletionTimestamp) + metadata.deletionGracePeriodSeconds * 1000
}

export function podUsage(pod: Pod): Amounts {
  const { overhead = {}, resources } = pod.spec
  const requests = { ...amountsOfContainers(pod, 'requests'), ...podLevel(resources?.requests) }
  const limits = { ...amountsOfContainers(pod, 'limits'), ...podLevel(resources?.limits) }
  const isLimited = (name: string): boolean => limits[name] !== undefined && !isZeroQuantity(limits[name])
  const overLimits = Object.fromEntries(Object.entries(overhead).filter(([name]) => isLimited(name)))
  return { pods: '1', ...computeUsage(addAmounts(requests, overhead), addAmounts(limits, overLimits)) }
}

type Part = 'requests' | 'limits'

function podLevel(amounts: Amounts = {}): Amounts {
  return Object.fromEntries(Object.entries(amounts).filter(([name]) => isPodLevelResource(name)))
}

/** While a container is resized: the largest of what it shall have, what it was promised and what it has. */
function amountsOfContainers(pod: Pod, part: Part): Amounts {
  const { spec, status } = pod
  const wanted = aggregateResources(spec, part)
  const statuses = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])]
  const isReported = statuses.some((container) => container.resources ?? container.allocatedResources)
  if (!isReported) return wanted
  const isInfeasible = status?.conditions?.find(({ type }) => type === 'PodResizePending')?.reason === 'Infeasible'
  const amountsBy = (amountsOf: (container: ContainerStatus) => Amounts | undefined): Amounts => {
    const reported = (container: Container): Container => {
      const known = statuses.find(({ name }) => name === container.name)
      const amounts = known === undefined ? undefined : amountsOf(known)
      if (amounts !== undefined) return { ...container, resources: { [part]: amounts } }
      return isInfeasible ? { ...container, resources: {} } : container
    }
    const { containers, initContainers = [] } = spec
    const effective = { containers: containers.map(reported), initContainers: initContainers.map(reported) }
    return aggregateResources({ ...spec, ...effective }, part)
  }
  const actual =
    part === 'limits'
      ? amountsBy(({ resources }) => resources?.limits)
      : maxAmounts(
          amountsBy(({ resources, allocatedResources }) => resources?.requests ?? allocatedResources),
          amountsBy(({ allocatedResources }) => allocatedResources),
        )
  return isInfeasible ? actual : maxAmounts(wanted, actual)
}
