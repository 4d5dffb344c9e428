/** Turns a pod's priority class into its number. */
import type { Pod } from '#api/core/v1.gen.ts'
import type { PriorityClass } from '#api/scheduling/v1.gen.ts'
import { forbidden } from '#machinery/status-error.ts'
import { isResource, refuse, type AdmissionPlugin } from './admission.ts'
import type { ClusterReader } from './cluster-reader.ts'

const GROUP = 'scheduling.k8s.io'
const SYSTEM_PREFIX = 'system-'

export function createPriorityPlugin(cluster: ClusterReader): AdmissionPlugin {
  return {
    name: 'Priority',
    async mutate(attributes) {
      if (!isResource(attributes, 'pods')) return
      const pod = attributes.object as Pod
      if (attributes.operation === 'UPDATE') return keepPriority(pod, attributes.oldObject as Pod)
      if (attributes.operation === 'CREATE') await setPriority(cluster, pod)
    },
    async validate(attributes) {
      if (!isResource(attributes, 'priorityclasses', GROUP)) return
      if (attributes.operation === 'DELETE') {
        if (attributes.name.startsWith(SYSTEM_PREFIX))
          throw refuse(attributes, 'this is a system priority class and cannot be deleted')
        return
      }
      const wanted = attributes.object as PriorityClass
      if (wanted.globalDefault !== true) return
      const other = (await cluster.list<PriorityClass>(GROUP, 'priorityclasses')).find(
        ({ globalDefault, metadata }) => globalDefault === true && metadata.name !== wanted.metadata.name,
      )
      if (other !== undefined)
        throw forbidden(
          { group: GROUP, resource: 'priorityclasses' },
          wanted.metadata.name,
          `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`,
        )
    },
  }
}

function keepPriority(pod: Pod, old: Pod): void {
  if (old.spec.priority !== undefined) pod.spec.priority ??= old.spec.priority
  if (old.spec.preemptionPolicy !== undefined) pod.spec.preemptionPolicy ??= old.spec.preemptionPolicy
}

async function setPriority(cluster: ClusterReader, pod: Pod): Promise<void> {
  const priorityClass = await findClass(cluster, pod)
  const value = priorityClass?.value ?? 0
  const policy = priorityClass?.preemptionPolicy ?? 'PreemptLowerPriority'
  const refuse = (why: string): never => {
    throw forbidden({ group: '', resource: 'pods' }, pod.metadata.name || '', why)
  }
  if (pod.spec.priority !== undefined && pod.spec.priority !== value)
    refuse(
      `the integer value of priority (${pod.spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
    )
  if (pod.spec.preemptionPolicy !== undefined && pod.spec.preemptionPolicy !== policy)
    refuse(
      `the string value of PreemptionPolicy (${pod.spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
    )
  pod.spec.priority = value
  pod.spec.preemptionPolicy = policy
}

/** The named one, else the global default (the lowest of them, should there be several), which the pod then names. */
async function findClass(cluster: ClusterReader, pod: Pod): Promise<PriorityClass | null> {
  const name = pod.spec.priorityClassName ?? ''
  if (name !== '') {
    const found = await cluster.get<PriorityClass>(GROUP, 'priorityclasses', '', name)
    if (found === null)
      throw forbidden(
        { group: '', resource: 'pods' },
        pod.metadata.name || '',
        `no PriorityClass with name ${name} was found`,
      )
    return found
  }
  const defaults = (await cluster.list<PriorityClass>(GROUP, 'priorityclasses')).filter(
    ({ globalDefault }) => globalDefault === true,
  )
  const [lowest] = defaults.toSorted((a, b) => (a.value ?? 0) - (b.value ?? 0))
  if (lowest === undefined) return null
  pod.spec.priorityClassName = lowest.metadata.name
  return lowest
}
