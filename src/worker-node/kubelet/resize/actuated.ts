/** Notes what containers were given, which is what a resize is measured against: a runtime may report it rounded, or not at all. */
import type { Container } from '#api/core/v1.gen.ts'
import type { PodState } from '../pods/pod-state.ts'
import type { AllocationStore } from './allocation-store.ts'

export function noteActuated(
  store: AllocationStore,
  podUid: string,
  containerId: string,
  { resources = {} }: Pick<Container, 'resources'>,
): void {
  store.set(podUid, { containers: { ...store.get(podUid)?.containers, [containerId]: resources } })
}

/** The state with what is remembered of it; what is gone from the runtime is forgotten. */
export function withActuated(store: AllocationStore, podUid: string, state: PodState): PodState {
  const given = store.get(podUid)?.containers
  if (given === undefined) return state
  const known = new Set(state.containers.map(({ id }) => id))
  const kept = Object.entries(given).filter(([id]) => known.has(id))
  if (kept.length < Object.keys(given).length) store.set(podUid, { containers: Object.fromEntries(kept) })
  const containers = state.containers.map((container) => {
    const actuated = given[container.id]
    return actuated === undefined ? container : { ...container, actuated }
  })
  return { ...state, containers }
}
