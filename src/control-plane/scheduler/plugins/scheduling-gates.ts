/** Keeps a pod out of the queue while it has scheduling gates. */
import type { Pod } from '#api/core/v1.gen.ts'
import type { ClusterEvent, Plugin, Rejection } from '../framework.ts'

export const schedulingGates: Plugin = {
  name: 'SchedulingGates',
  preEnqueue(pod: Pod): Rejection | null {
    const gates = (pod.spec.schedulingGates ?? []).map((gate) => gate.name)
    return gates.length === 0
      ? null
      : { code: 'pending', reasons: [`waiting for scheduling gates: [${gates.join(' ')}]`] }
  },
  isHelpedBy: (_pod: Pod, event: ClusterEvent): boolean => event.resource === 'unscheduled-pod',
}
