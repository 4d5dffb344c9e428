/** The parts that strategies of most kinds share: status apart from spec, and generations. */
import type { KubernetesObject } from '#machinery/meta/object.ts'
import type { Strategy, StrategyContext } from './kind.ts'
import { isSemanticallyEqual } from './semantic-equal.ts'

type WithParts = KubernetesObject & { spec?: unknown; status?: unknown }

export type SpecStatusOptions = {
  /** The kind counts changes of its spec in metadata.generation. */
  readonly generation: boolean
  /** A status write takes nothing of metadata but managedFields (upstream's ResetObjectMetaForStatus). */
  readonly resetsMetaForStatus?: boolean
}

/**
 * `prepareForCreate` and `prepareForUpdate` of an ordinary kind with spec and status: the main resource never writes
 * the status, the status subresource never writes the spec.
 */
export function specStatusStrategy<T extends KubernetesObject>(
  options: SpecStatusOptions,
): Required<Pick<Strategy<T>, 'prepareForCreate' | 'prepareForUpdate'>> {
  return {
    prepareForCreate(object: WithParts) {
      clearStatus(object)
      if (options.generation) object.metadata.generation = 1
    },
    prepareForUpdate(object: WithParts, old: WithParts, context: StrategyContext) {
      if (context.subresource === 'status') {
        keepSpec(object, old)
        if (options.resetsMetaForStatus === true) keepMetaForStatus(object, old)
        return
      }
      keepStatus(object, old)
      if (options.generation && !isSemanticallyEqual(object.spec, old.spec)) bumpGeneration(object, old)
    },
  }
}

export function clearStatus(object: WithParts): void {
  delete object.status
}

export function keepStatus(object: WithParts, old: WithParts): void {
  if (old.status === undefined) delete object.status
  else object.status = old.status
}

export function keepSpec(object: WithParts, old: WithParts): void {
  if (old.spec === undefined) delete object.spec
  else object.spec = old.spec
}

export function bumpGeneration(object: KubernetesObject, old: KubernetesObject): void {
  object.metadata.generation = (old.metadata.generation ?? 0) + 1
}

/** Metadata that clients own stays as it was; only managedFields follow the write. */
export function keepMetaForStatus(object: KubernetesObject, old: KubernetesObject): void {
  const { metadata } = object
  const before = old.metadata
  setOrDelete(metadata, 'deletionTimestamp', before.deletionTimestamp)
  setOrDelete(metadata, 'deletionGracePeriodSeconds', before.deletionGracePeriodSeconds)
  setOrDelete(metadata, 'generation', before.generation)
  setOrDelete(metadata, 'selfLink', before.selfLink)
  setOrDelete(metadata, 'labels', before.labels)
  setOrDelete(metadata, 'annotations', before.annotations)
  setOrDelete(metadata, 'finalizers', before.finalizers)
  setOrDelete(metadata, 'ownerReferences', before.ownerReferences)
}

function setOrDelete<T extends object, K extends keyof T>(target: T, field: K, value: T[K] | undefined): void {
  if (value === undefined) delete target[field]
  else target[field] = value
}
