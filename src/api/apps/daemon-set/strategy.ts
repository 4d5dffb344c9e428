/** How writes of DaemonSets are prepared and checked. */
import type { DaemonSet } from '#api/apps/v1.gen.ts'
import type { Strategy } from '#api/kind.ts'
import { specStatusStrategy } from '#api/strategies.ts'

export const daemonSetStrategy: Strategy<DaemonSet> = specStatusStrategy<DaemonSet>({ generation: true })
