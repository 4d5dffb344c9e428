/** Pods keep others away from their own node at most, never from a whole zone. */
import type { Pod } from '#api/core/v1.gen.ts'
import { isResource, refuse, type AdmissionPlugin } from './admission.ts'

const HOSTNAME = 'kubernetes.io/hostname'

export const limitPodHardAntiAffinityTopology: AdmissionPlugin = {
  name: 'LimitPodHardAntiAffinityTopology',
  validate(attributes) {
    const { operation, object } = attributes
    if ((operation !== 'CREATE' && operation !== 'UPDATE') || !isResource(attributes, 'pods')) return
    const terms = (object as Pod).spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
    const wide = terms.find(({ topologyKey }) => topologyKey !== HOSTNAME)
    if (wide === undefined) return
    throw refuse(
      attributes,
      `affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey ${wide.topologyKey} but only key ${HOSTNAME} is allowed`,
    )
  },
}
