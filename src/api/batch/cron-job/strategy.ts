/** How writes of CronJobs are prepared and checked. */
import type { CronJob } from '#api/batch/v1.gen.ts'
import type { Strategy } from '#api/kind.ts'
import { specStatusStrategy } from '#api/strategies.ts'

export const cronJobStrategy: Strategy<CronJob> = specStatusStrategy<CronJob>({ generation: true })
