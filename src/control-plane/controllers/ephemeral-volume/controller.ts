/** Makes the claims of pods' ephemeral volumes; they go with their pod. */
import type { PersistentVolumeClaim, Pod, Volume } from '#api/core/v1.gen.ts'
import { claimOf, isClaimFor } from '#api/core/pod/claims.ts'
import { PERSISTENTVOLUMECLAIMS, PODS } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/event-recorder.ts'
import { keyOf, type Informer } from '#client/informer.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'
import { controllerReference, referenceTo } from '../object-key.ts'
import { PodsByClaim } from '../pods/pods-by-claim.ts'

export class EphemeralVolumeController implements Controller {
  readonly name = 'ephemeral-volume-controller'
  readonly workers = 5
  readonly #client: Client
  readonly #events: EventRecorder
  readonly #pods: Informer<Pod>
  readonly #claims: Informer<PersistentVolumeClaim>
  readonly #podsByClaim: PodsByClaim

  constructor({ client, events, informers }: ControllerContext) {
    this.#client = client
    this.#events = events
    this.#pods = informers.informer(PODS)
    this.#claims = informers.informer(PERSISTENTVOLUMECLAIMS)
    this.#podsByClaim = new PodsByClaim(this.#pods, this.name)
  }

  watch(enqueue: Enqueue): void {
    const onPod = (pod: Pod): void => {
      if (pod.metadata.deletionTimestamp === undefined && ephemeralVolumes(pod).length > 0) enqueue(keyOf(pod))
    }
    // The volumes of a pod never change.
    this.#pods.addHandler({ added: onPod })
    this.#claims.addHandler({
      deleted: (claim) => {
        for (const pod of this.#podsByClaim.of(claim)) onPod(pod)
      },
    })
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const pod = this.#pods.get(key)
    if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return {}
    for (const volume of ephemeralVolumes(pod))
      try {
        await this.#ensureClaim(pod, volume, signal)
      } catch (error) {
        if (signal.aborted) throw error
        const message = `ephemeral volume ${volume.name}: ${(error as Error).message}`
        this.#events.event(referenceTo(PODS, pod), 'Warning', 'FailedBinding', message)
        throw (error as Error).cause ?? error
      }
    return {}
  }

  async #ensureClaim(pod: Pod, volume: Volume, signal: AbortSignal): Promise<void> {
    const { namespace } = pod.metadata
    const { name } = claimOf(volume, pod)!
    const known = this.#claims.get(`${namespace}/${name}`)
    if (known !== undefined && isClaimFor(pod, known)) return
    if (known !== undefined) {
      const [claimKey, podKey] = [keyOf(known), keyOf(pod)]
      throw new Error(`PVC ${claimKey} was not created for pod ${podKey} (pod is not owner)`)
    }
    const { metadata = {}, spec } = volume.ephemeral!.volumeClaimTemplate!
    const { labels, annotations } = metadata
    const claim = {
      metadata: {
        name,
        namespace: namespace!,
        ownerReferences: [controllerReference(PODS, pod)],
        ...(labels === undefined ? {} : { labels }),
        ...(annotations === undefined ? {} : { annotations }),
      },
      spec,
    }
    try {
      await this.#client.create<PersistentVolumeClaim>(PERSISTENTVOLUMECLAIMS, claim, signal)
    } catch (error) {
      throw new Error(`create PVC ${name}: ${(error as Error).message}`, { cause: error })
    }
  }
}

const ephemeralVolumes = ({ spec }: Pod): Volume[] =>
  (spec.volumes ?? []).filter(({ ephemeral }) => ephemeral?.volumeClaimTemplate !== undefined)
