/** Deletes Jobs that have ended, when their time to live is over. */
import type { Job } from '#api/batch/v1.gen.ts'
import { JOBS } from '#api/resources.gen.ts'
import type { Clock } from '#base/clock.ts'
import type { Client } from '#client/client.ts'
import { keyOf, type Informer } from '#client/informer.ts'
import { isNotFound } from '#machinery/status-error.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'
import { splitKey } from '../object-key.ts'
import { expiryMs } from './plan.ts'

export class TtlAfterFinishedController implements Controller {
  readonly name = 'ttl-after-finished-controller'
  readonly workers = 5
  readonly #client: Client
  readonly #clock: Clock
  readonly #jobs: Informer<Job>

  constructor({ client, clock, informers }: ControllerContext) {
    this.#client = client
    this.#clock = clock
    this.#jobs = informers.informer(JOBS)
  }

  watch(enqueue: Enqueue): void {
    const onJob = (job: Job): void => {
      if (expiryMs(job) !== null) enqueue(keyOf(job))
    }
    this.#jobs.addHandler({ added: onJob, updated: onJob })
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const shown = this.#jobs.get(key)
    if (shown === undefined || this.#leftMs(shown) === null) return {}
    const left = this.#leftMs(shown)!
    if (left > 0) return { requeueAfterMs: left }
    const { namespace, name } = splitKey(key)
    try {
      // The time to live may just have been raised: the server's own view decides.
      const job = await this.#client.get<Job>(JOBS, namespace, name, signal)
      const current = this.#leftMs(job)
      if (current === null) return {}
      if (current > 0) return { requeueAfterMs: current }
      const { uid, resourceVersion } = job.metadata
      const options = { propagationPolicy: 'Foreground', preconditions: { uid, resourceVersion } }
      await this.#client.delete(JOBS, namespace, name, options, signal)
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
    return {}
  }

  #leftMs(job: Job): number | null {
    const expiry = expiryMs(job)
    return expiry === null ? null : expiry - this.#clock.now()
  }
}
