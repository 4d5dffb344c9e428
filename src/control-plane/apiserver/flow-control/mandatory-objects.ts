/** The two priority levels and flow schemas that every server has, also before it knows any object and when somebody deleted them. */
import type { FlowSchema, PriorityLevelConfiguration } from '#api/flowcontrol/v1.gen.ts'
import OBJECTS from '../bootstrap/objects.gen.json' with { type: 'json' }

export const EXEMPT = 'exempt'
export const CATCH_ALL = 'catch-all'

function find<T>(kind: string, name: string): T {
  const found = (OBJECTS as unknown as readonly { kind: string; metadata: { name: string } }[]).find(
    (object) => object.kind === kind && object.metadata.name === name,
  )
  return found as unknown as T
}

export const MANDATORY_LEVELS: readonly PriorityLevelConfiguration[] = [EXEMPT, CATCH_ALL].map((name) =>
  find('PriorityLevelConfiguration', name),
)

export const MANDATORY_SCHEMAS: readonly FlowSchema[] = [EXEMPT, CATCH_ALL].map((name) => find('FlowSchema', name))
