/** How writes of StatefulSets are prepared and checked. */
import type { StatefulSet } from '#api/apps/v1.gen.ts'
import type { Strategy } from '#api/kind.ts'
import { specStatusStrategy } from '#api/strategies.ts'

export const statefulSetStrategy: Strategy<StatefulSet> = specStatusStrategy<StatefulSet>({ generation: true })
