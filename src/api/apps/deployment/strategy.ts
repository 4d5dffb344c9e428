/** How writes of Deployments are prepared and checked. */
import type { Deployment } from '#api/apps/v1.gen.ts'
import type { Strategy } from '#api/kind.ts'
import { specStatusStrategy } from '#api/strategies.ts'

export const deploymentStrategy: Strategy<Deployment> = specStatusStrategy<Deployment>({ generation: true })
