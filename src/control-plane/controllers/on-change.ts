/** What wakes most controllers: any change of an object, or of an object that another one manages. */
import type { Informer } from '#client/informer.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { controllerOf } from './object-key.ts'

export function onAnyChange<T extends KubernetesObject>(informer: Informer<T>, changed: (object: T) => void): void {
  informer.addHandler({ added: changed, updated: changed, deleted: changed })
}

/** `changed` hears of each change; when the managing owner is another one than before, also of the object as it was. */
export function onDependentChange<T extends KubernetesObject>(
  informer: Informer<T>,
  changed: (object: T) => void,
): void {
  informer.addHandler({
    added: changed,
    updated: (object, old) => {
      if (controllerOf(old)?.uid !== controllerOf(object)?.uid) changed(old)
      changed(object)
    },
    deleted: changed,
  })
}

/** Defines an index by the uid of the managing owner. */
export function indexByController<T extends KubernetesObject>(informer: Informer<T>, name: string): void {
  informer.addIndex(name, (object) => {
    const owner = controllerOf(object)
    return owner === undefined ? [] : [owner.uid]
  })
}
