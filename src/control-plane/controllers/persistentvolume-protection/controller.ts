/** Keeps volumes that are being deleted until they are not bound any more. */
import type { PersistentVolume } from '#api/core/v1.gen.ts'
import { PERSISTENTVOLUMES } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import type { Informer } from '#client/informer.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'
import { needsLook, protect } from '../finalizer.ts'

const FINALIZER = 'kubernetes.io/pv-protection'

export class PersistentVolumeProtectionController implements Controller {
  readonly name = 'persistentvolume-protection-controller'
  readonly workers = 1
  readonly #client: Client
  readonly #volumes: Informer<PersistentVolume>

  constructor({ client, informers }: ControllerContext) {
    this.#client = client
    this.#volumes = informers.informer(PERSISTENTVOLUMES)
  }

  watch(enqueue: Enqueue): void {
    const onVolume = (volume: PersistentVolume): void => {
      if (needsLook(volume, FINALIZER)) enqueue(volume.metadata.name)
    }
    this.#volumes.addHandler({ added: onVolume, updated: onVolume })
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const volume = this.#volumes.get(key)
    if (volume === undefined) return {}
    const target = { client: this.#client, resource: PERSISTENTVOLUMES, finalizer: FINALIZER }
    await protect(target, volume, () => volume.status?.phase === 'Bound', signal)
    return {}
  }
}
