/** Keeps claims that are being deleted until no pod uses them, and says of each bound claim whether anybody does. */
import type { PersistentVolumeClaim, Pod } from '#api/core/v1.gen.ts'
import { PERSISTENTVOLUMECLAIMS, PODS } from '#api/resources.gen.ts'
import type { Clock } from '#base/clock.ts'
import type { Client } from '#client/client.ts'
import { keyOf, type Informer } from '#client/informer.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'
import { needsLook, protect } from '../finalizer.ts'
import { ignoreGone } from '../ignore-gone.ts'
import { formatTime } from '../object-key.ts'
import { onAnyChange } from '../on-change.ts'
import { PodsByClaim, claimKeysOf } from '../pods/pods-by-claim.ts'
import { keepsClaim, planUnused, refersTo } from './plan.ts'

const FINALIZER = 'kubernetes.io/pvc-protection'

export class PersistentVolumeClaimProtectionController implements Controller {
  readonly name = 'persistentvolumeclaim-protection-controller'
  readonly workers = 5
  readonly #client: Client
  readonly #clock: Clock
  readonly #claims: Informer<PersistentVolumeClaim>
  readonly #pods: Informer<Pod>
  readonly #podsByClaim: PodsByClaim

  constructor({ client, clock, informers }: ControllerContext) {
    this.#client = client
    this.#clock = clock
    this.#claims = informers.informer(PERSISTENTVOLUMECLAIMS)
    this.#pods = informers.informer(PODS)
    this.#podsByClaim = new PodsByClaim(this.#pods, this.name)
  }

  watch(enqueue: Enqueue): void {
    const onClaim = (claim: PersistentVolumeClaim): void => {
      const hasCondition = claim.status?.conditions?.some(({ type }) => type === 'Unused') === true
      if (!hasCondition || needsLook(claim, FINALIZER)) enqueue(keyOf(claim))
    }
    this.#claims.addHandler({ added: onClaim, updated: onClaim })
    onAnyChange(this.#pods, (pod) => {
      for (const key of claimKeysOf(pod)) enqueue(key)
    })
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const claim = this.#claims.get(key)
    if (claim === undefined) return {}
    if (claim.metadata.deletionTimestamp === undefined && claim.status?.phase === 'Bound')
      await this.#tellUse(claim, signal)
    const target = { client: this.#client, resource: PERSISTENTVOLUMECLAIMS, finalizer: FINALIZER }
    await protect(target, claim, () => this.#isKept(claim, signal), signal)
    return {}
  }

  async #tellUse(claim: PersistentVolumeClaim, signal: AbortSignal): Promise<void> {
    const isUsed = this.#podsByClaim.of(claim).some((pod) => refersTo(pod, claim))
    const conditions = planUnused(claim, isUsed, formatTime(this.#clock.now()))
    if (conditions === null) return
    const changed = { ...claim, status: { ...claim.status, conditions } }
    await ignoreGone(this.#client.updateStatus<PersistentVolumeClaim>(PERSISTENTVOLUMECLAIMS, changed, signal))
  }

  /** Nobody in the cache is not enough: the pod may only be new. */
  async #isKept(claim: PersistentVolumeClaim, signal: AbortSignal): Promise<boolean> {
    if (this.#podsByClaim.of(claim).some((pod) => keepsClaim(pod, claim))) return true
    const { items } = await this.#client.list<Pod>(PODS, claim.metadata.namespace ?? '', {}, signal)
    return items.some((pod) => keepsClaim(pod, claim))
  }
}
