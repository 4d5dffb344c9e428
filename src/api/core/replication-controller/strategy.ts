/** How writes of ReplicationControllers are prepared and checked. */
import type { ReplicationController } from '#api/core/v1.gen.ts'
import type { Strategy } from '#api/kind.ts'
import { specStatusStrategy } from '#api/strategies.ts'

export const replicationControllerStrategy: Strategy<ReplicationController> = specStatusStrategy<ReplicationController>(
  { generation: true },
)
