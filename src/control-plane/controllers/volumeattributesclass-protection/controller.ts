/** Keeps VolumeAttributesClasses that are being deleted until no claim and no volume refers to them. */
import type { PersistentVolume, PersistentVolumeClaim } from '#api/core/v1.gen.ts'
import { attributesClassesOf } from '#api/core/persistent-volume-claim/attributes-classes.ts'
import { PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES, VOLUMEATTRIBUTESCLASSES } from '#api/resources.gen.ts'
import type { VolumeAttributesClass } from '#api/storage/v1.gen.ts'
import type { Client } from '#client/client.ts'
import type { Informer } from '#client/informer.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'
import { needsLook, protect } from '../finalizer.ts'

const FINALIZER = 'kubernetes.io/vac-protection'
const INDEX = 'volumeattributesclass-protection/class'

const classesOfVolume = ({ spec }: PersistentVolume): string[] =>
  spec.volumeAttributesClassName ? [spec.volumeAttributesClassName] : []

export class VolumeAttributesClassProtectionController implements Controller {
  readonly name = 'volumeattributesclass-protection-controller'
  readonly workers = 1
  readonly #client: Client
  readonly #classes: Informer<VolumeAttributesClass>
  readonly #claims: Informer<PersistentVolumeClaim>
  readonly #volumes: Informer<PersistentVolume>

  constructor({ client, informers }: ControllerContext) {
    this.#client = client
    this.#classes = informers.informer(VOLUMEATTRIBUTESCLASSES)
    this.#claims = informers.informer(PERSISTENTVOLUMECLAIMS)
    this.#volumes = informers.informer(PERSISTENTVOLUMES)
    this.#claims.addIndex(INDEX, attributesClassesOf)
    this.#volumes.addIndex(INDEX, classesOfVolume)
  }

  watch(enqueue: Enqueue): void {
    const onClass = (attributesClass: VolumeAttributesClass): void => {
      if (needsLook(attributesClass, FINALIZER)) enqueue(attributesClass.metadata.name)
    }
    const enqueueAll = (names: readonly string[]): void => {
      for (const name of names) enqueue(name)
    }
    this.#classes.addHandler({ added: onClass, updated: onClass })
    this.#claims.addHandler({
      updated: (_claim, old) => enqueueAll(attributesClassesOf(old)),
      deleted: (claim) => enqueueAll(attributesClassesOf(claim)),
    })
    this.#volumes.addHandler({
      updated: (_volume, old) => enqueueAll(classesOfVolume(old)),
      deleted: (volume) => enqueueAll(classesOfVolume(volume)),
    })
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const attributesClass = this.#classes.get(key)
    if (attributesClass === undefined) return {}
    const isUsed = (): boolean =>
      this.#claims.byIndex(INDEX, key).length > 0 || this.#volumes.byIndex(INDEX, key).length > 0
    const target = { client: this.#client, resource: VOLUMEATTRIBUTESCLASSES, finalizer: FINALIZER }
    await protect(target, attributesClass, isUsed, signal)
    return {}
  }
}
