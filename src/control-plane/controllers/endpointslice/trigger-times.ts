/** Remembers since when each Service's endpoints ought to differ, so that the delay of the whole network can be measured. */
import type { Pod, Service } from '#api/core/v1.gen.ts'

export const TRIGGER_TIME_ANNOTATION = 'endpoints.kubernetes.io/last-change-trigger-time'

type State = { readonly service: string; readonly pods: ReadonlyMap<string, string> }

export class TriggerTimes {
  readonly #states = new Map<string, State>()

  /** The earliest change since the last call; undefined when nothing that carries a time has changed. */
  observe(key: string, service: Service, pods: readonly Pod[]): string | undefined {
    const known = this.#states.get(key)
    const created = service.metadata.creationTimestamp
    const times = new Map<string, string>()
    let earliest: string | undefined
    const consider = (time: string, last: string): void => {
      if (time > last && (earliest === undefined || time < earliest)) earliest = time
    }
    for (const pod of pods) {
      const time = pod.status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime
      if (time === undefined) continue
      times.set(pod.metadata.name, time)
      consider(time, known?.pods.get(pod.metadata.name) ?? '')
    }
    consider(created, known?.service ?? '')
    this.#states.set(key, { service: created, pods: times })
    return known === undefined ? created : earliest
  }

  forget(key: string): void {
    this.#states.delete(key)
  }
}
