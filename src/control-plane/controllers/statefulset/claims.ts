/** Makes the claims of a StatefulSet's pods, and lets the retention policy decide who owns them. */
import type { StatefulSet } from '#api/apps/v1.gen.ts'
import type { PersistentVolumeClaim, Pod } from '#api/core/v1.gen.ts'
import { PERSISTENTVOLUMECLAIMS, PODS, STATEFULSETS } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/event-recorder.ts'
import type { Informer } from '#client/informer.ts'
import type { OwnerReference } from '#machinery/meta/v1.gen.ts'
import { isAlreadyExists } from '#machinery/status-error.ts'
import { controllerReference, referenceTo } from '../object-key.ts'
import { claimName, claimsOf, podName } from './identity.ts'

export class StatefulSetClaims {
  readonly #client: Client
  readonly #events: EventRecorder
  readonly #claims: Informer<PersistentVolumeClaim>

  constructor(client: Client, events: EventRecorder, claims: Informer<PersistentVolumeClaim>) {
    this.#client = client
    this.#events = events
    this.#claims = claims
  }

  async ensure(set: StatefulSet, ordinal: number, signal: AbortSignal): Promise<void> {
    for (const claim of claimsOf(set, ordinal)) {
      const { namespace, name } = claim.metadata
      if (this.#claims.get(`${namespace}/${name}`) !== undefined) continue
      const ownerReferences = ownersOf(set, null)
      try {
        const metadata = { ...claim.metadata, ...(ownerReferences.length === 0 ? {} : { ownerReferences }) }
        await this.#client.create<PersistentVolumeClaim>(PERSISTENTVOLUMECLAIMS, { ...claim, metadata }, signal)
        this.#tell(set, ordinal, name!, null)
      } catch (error) {
        if (isAlreadyExists(error)) continue
        if (!signal.aborted) this.#tell(set, ordinal, name!, error)
        throw error
      }
    }
  }

  /** `condemned`: the pod is about to go because the set shrinks. */
  async updateOwners(
    set: StatefulSet,
    pod: Pod,
    ordinal: number,
    condemned: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const wanted = ownersOf(set, condemned ? pod : null)
    for (const template of set.spec.volumeClaimTemplates ?? []) {
      const claim = this.#claims.get(`${set.metadata.namespace}/${claimName(set, template, ordinal)}`)
      if (claim === undefined) continue
      const owners = claim.metadata.ownerReferences ?? []
      const others = owners.filter(({ uid }) => uid !== set.metadata.uid && uid !== pod.metadata.uid)
      const next = [...others, ...wanted]
      const isSame = next.length === owners.length && next.every(({ uid }) => owners.some((owner) => owner.uid === uid))
      if (isSame) continue
      const metadata = { ...claim.metadata, ownerReferences: next }
      await this.#client.update<PersistentVolumeClaim>(PERSISTENTVOLUMECLAIMS, { ...claim, metadata }, signal)
    }
  }

  #tell(set: StatefulSet, ordinal: number, claim: string, error: unknown): void {
    const about = referenceTo(STATEFULSETS, set)
    const what = `create Claim ${claim} Pod ${podName(set, ordinal)} in StatefulSet ${set.metadata.name}`
    if (error === null) this.#events.event(about, 'Normal', 'SuccessfulCreate', `${what} success`)
    else this.#events.event(about, 'Warning', 'FailedCreate', `${what} failed error: ${(error as Error).message}`)
  }
}

/** With `Delete` claims go with the set; or, when the set shrinks, with their pod. */
function ownersOf(set: StatefulSet, condemned: Pod | null): OwnerReference[] {
  const { whenDeleted = 'Retain', whenScaled = 'Retain' } = set.spec.persistentVolumeClaimRetentionPolicy ?? {}
  if (condemned !== null && whenScaled === 'Delete') {
    const { name, uid } = condemned.metadata
    return [{ apiVersion: 'v1', kind: PODS.kind, name, uid }]
  }
  return whenDeleted === 'Delete' ? [controllerReference(STATEFULSETS, set)] : []
}
