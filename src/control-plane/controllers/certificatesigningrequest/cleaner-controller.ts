/** Deletes certificate requests whose answer, or whose waiting for one, is of no interest any more. */
import type { CertificateSigningRequest } from '#api/certificates/v1.gen.ts'
import { CERTIFICATESIGNINGREQUESTS } from '#api/resources.gen.ts'
import type { Clock } from '#base/clock.ts'
import type { Client } from '#client/client.ts'
import type { Informer } from '#client/informer.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'
import { ignoreGone } from '../ignore-gone.ts'
import { endOfInterest } from './answers.ts'

/** Timers cannot wait for years, and clocks are set: upstream looks every hour. */
const RECHECK_MS = 3_600_000

export class CertificateCleanerController implements Controller {
  readonly name = 'certificatesigningrequest-cleaner-controller'
  readonly workers = 1
  readonly #client: Client
  readonly #clock: Clock
  readonly #requests: Informer<CertificateSigningRequest>

  constructor({ client, clock, informers }: ControllerContext) {
    this.#client = client
    this.#clock = clock
    this.#requests = informers.informer(CERTIFICATESIGNINGREQUESTS)
  }

  watch(enqueue: Enqueue): void {
    const onRequest = ({ metadata }: CertificateSigningRequest): void => enqueue(metadata.name)
    this.#requests.addHandler({ added: onRequest, updated: onRequest })
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const request = this.#requests.get(key)
    const endMs = request === undefined ? null : endOfInterest(request)
    if (request === undefined || endMs === null) return {}
    const leftMs = endMs - this.#clock.now()
    if (leftMs > 0) return { requeueAfterMs: Math.min(leftMs, RECHECK_MS) }
    const preconditions = { uid: request.metadata.uid, resourceVersion: request.metadata.resourceVersion }
    await ignoreGone(this.#client.delete(CERTIFICATESIGNINGREQUESTS, '', key, { preconditions }, signal))
    return {}
  }
}
