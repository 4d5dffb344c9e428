/** Tells in the status of each FlowSchema whether the PriorityLevelConfiguration that it names exists. */
import type { FlowSchema } from '#api/flowcontrol/v1.gen.ts'
import { FLOWSCHEMAS, PRIORITYLEVELCONFIGURATIONS } from '#api/resources.gen.ts'
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { Client } from '#client/client.ts'
import { isNotFound } from '#machinery/status-error.ts'
import type { ObjectFeeds } from '../authorization/object-feeds.ts'

export type DanglingFlowSchemasOptions = { readonly client: Client; readonly clock: Clock; readonly log: Logger }

/** The owner that upstream's server takes for these conditions. */
const FIELD_MANAGER = 'api-priority-and-fairness-config-consumer-v1'

type Condition = { readonly type: string; readonly status: string; readonly reason: string; readonly message: string }

/** Null when the status says it already. */
export function danglingCondition({ spec, status }: FlowSchema, exists: boolean): Condition | null {
  const level = JSON.stringify(spec.priorityLevelConfiguration.name)
  const condition = {
    type: 'Dangling',
    status: exists ? 'False' : 'True',
    reason: exists ? 'Found' : 'NotFound',
    message: `This FlowSchema references the PriorityLevelConfiguration object named ${level} ${exists ? 'and it exists' : 'but there is no such object'}`,
  }
  const told = status?.conditions?.find(({ type }) => type === condition.type)
  const isTold =
    told?.status === condition.status && told.reason === condition.reason && told.message === condition.message
  return isTold ? null : condition
}

/** Call before the feeds start. */
export function followFlowSchemas(feeds: ObjectFeeds, options: DanglingFlowSchemasOptions): void {
  const schemas = new Map<string, FlowSchema>()
  const levels = new Set<string>()
  let isSynced = false
  const review = (schema: FlowSchema): void => {
    // Levels that are not known yet are no missing ones.
    if (isSynced) tell(schema, levels.has(schema.spec.priorityLevelConfiguration.name), options)
  }
  const reviewAll = (level?: string): void => {
    for (const schema of schemas.values())
      if (level === undefined || schema.spec.priorityLevelConfiguration.name === level) review(schema)
  }
  feeds.follow(PRIORITYLEVELCONFIGURATIONS, {
    set: ({ metadata: { name } }) => {
      if (levels.has(name)) return
      levels.add(name)
      reviewAll(name)
    },
    drop: ({ metadata: { name } }) => {
      levels.delete(name)
      reviewAll(name)
    },
  })
  feeds.follow(FLOWSCHEMAS, {
    set: (schema) => {
      schemas.set(schema.metadata.name, schema)
      review(schema)
    },
    drop: ({ metadata }) => schemas.delete(metadata.name),
  })
  void feeds.synced().then(() => {
    isSynced = true
    reviewAll()
  })
}

function tell(schema: FlowSchema, exists: boolean, { client, clock, log }: DanglingFlowSchemasOptions): void {
  const condition = danglingCondition(schema, exists)
  if (condition === null) return
  const { name } = schema.metadata
  const lastTransitionTime = `${new Date(clock.now()).toISOString().slice(0, 19)}Z`
  const applied = {
    kind: 'FlowSchema',
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
    metadata: { name },
    status: { conditions: [{ ...condition, lastTransitionTime }] },
  }
  const options = { fieldManager: FIELD_MANAGER, force: true, subresource: 'status' }
  client.patch(FLOWSCHEMAS, '', name, 'apply', applied, options).catch((error: unknown) => {
    if (!isNotFound(error)) log.warn('status of a FlowSchema could not be told', { name, error: String(error) })
  })
}
