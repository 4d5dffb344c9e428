/** How writes of Jobs are prepared and checked. */
import type { Job } from '#api/batch/v1.gen.ts'
import type { Strategy } from '#api/kind.ts'
import { specStatusStrategy } from '#api/strategies.ts'

export const jobStrategy: Strategy<Job> = specStatusStrategy<Job>({ generation: true })
