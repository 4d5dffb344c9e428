/** How writes of ReplicaSets are prepared and checked. */
import type { ReplicaSet } from '#api/apps/v1.gen.ts'
import type { Strategy } from '#api/kind.ts'
import { specStatusStrategy } from '#api/strategies.ts'

export const replicaSetStrategy: Strategy<ReplicaSet> = specStatusStrategy<ReplicaSet>({ generation: true })
