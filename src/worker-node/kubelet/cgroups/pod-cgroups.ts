/** Where a pod's cgroup lies: by quality of service, as upstream lays them out with the cgroupfs driver. */
import type { Pod } from '#api/core/v1.gen.ts'
import { qosClassOf } from '../pods/pod-facts.ts'

export const KUBEPODS = '/kubepods'

export function podCgroupPath(pod: Pod): string {
  const qos = qosClassOf(pod)
  const parent = qos === 'Guaranteed' ? KUBEPODS : `${KUBEPODS}/${qos.toLowerCase()}`
  return `${parent}/pod${pod.metadata.uid}`
}

/** Every place where the group of a pod can be, for one of which only the uid is known. */
export function possibleCgroupPaths(podUid: string): string[] {
  return [KUBEPODS, `${KUBEPODS}/burstable`, `${KUBEPODS}/besteffort`].map((parent) => `${parent}/pod${podUid}`)
}
