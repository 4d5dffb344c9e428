/** Keeps the queues as the cluster's FlowSchemas and PriorityLevelConfigurations say, and moves seats as time goes by. */
import type { FlowSchema, PriorityLevelConfiguration } from '#api/flowcontrol/v1.gen.ts'
import { FLOWSCHEMAS, PRIORITYLEVELCONFIGURATIONS } from '#api/resources.gen.ts'
import type { Clock } from '#base/clock.ts'
import type { ObjectFeeds } from '../authorization/object-feeds.ts'
import { BORROWING_PERIOD_MS, type FlowController } from './flow-controller.ts'

/** Call before the feeds start. */
export function followFlowConfiguration(
  controller: FlowController,
  feeds: Pick<ObjectFeeds, 'follow'>,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): void {
  const levels = new Map<string, PriorityLevelConfiguration>()
  const schemas = new Map<string, FlowSchema>()
  let isDue = false
  // Objects come in bunches: the queues are set up once for all of them.
  const changed = (): void => {
    if (isDue) return
    isDue = true
    queueMicrotask(() => {
      isDue = false
      controller.configure([...levels.values()], [...schemas.values()])
    })
  }
  feeds.follow(PRIORITYLEVELCONFIGURATIONS, {
    set: (level) => {
      levels.set(level.metadata.name, level)
      changed()
    },
    drop: ({ metadata }) => {
      levels.delete(metadata.name)
      changed()
    },
  })
  feeds.follow(FLOWSCHEMAS, {
    set: (schema) => {
      schemas.set(schema.metadata.name, schema)
      changed()
    },
    drop: ({ metadata }) => {
      schemas.delete(metadata.name)
      changed()
    },
  })
  let timer = clock.setTimer(BORROWING_PERIOD_MS, borrow)
  function borrow(): void {
    controller.endPeriod()
    timer = clock.setTimer(BORROWING_PERIOD_MS, borrow)
  }
  signal.addEventListener('abort', () => timer.cancel(), { once: true })
}
