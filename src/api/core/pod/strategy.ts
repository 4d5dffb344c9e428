/** How writes of pods are prepared: what a client may not set, the QoS class, generations. */
import type { Pod } from '#api/core/v1.gen.ts'
import type { Strategy } from '#api/kind.ts'
import { specStatusStrategy } from '#api/strategies.ts'

export const podStrategy: Strategy<Pod> = {
  ...specStatusStrategy<Pod>({ generation: true }),
  graceSeconds: podGraceSeconds,
}

/** A pod that no node runs, or that has ended, goes at once. */
function podGraceSeconds(pod: Pod, requested: number | undefined): number {
  const isEnded = pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded'
  if ((pod.spec.nodeName ?? '') === '' || isEnded) return 0
  const seconds = requested ?? pod.spec.terminationGracePeriodSeconds ?? 0
  return seconds < 0 ? 1 : seconds
}
