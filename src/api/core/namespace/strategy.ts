/** How writes of Namespaces are completed and checked: the object, its status, and the end of its finalizers. */
import type { Namespace } from '#api/core/v1.gen.ts'
import type { Strategy } from '#api/kind.ts'
import { keepSpec, keepStatus } from '#api/strategies.ts'
import { type FieldError, invalidValue } from '#machinery/field-error.ts'
import { validateFinalizerName } from '#machinery/validation/object-meta.ts'

/** Namespaces live until the content is gone: this finalizer is theirs. */
const KUBERNETES_FINALIZER = 'kubernetes'
/** Selectors find a namespace by its name through this label. */
const NAME_LABEL = 'kubernetes.io/metadata.name'
const STANDARD_FINALIZERS = ['kubernetes', 'orphan', 'foregroundDeletion']

export const namespaceStrategy: Strategy<Namespace> = {
  setDefaults(namespace) {
    setNameLabel(namespace)
    namespace.status ??= {}
    namespace.status.phase ||= 'Active'
  },
  prepareForCreate(namespace) {
    setNameLabel(namespace)
    namespace.status = { phase: 'Active' }
    namespace.spec ??= {}
    const finalizers = namespace.spec.finalizers ?? []
    if (!finalizers.includes(KUBERNETES_FINALIZER)) namespace.spec.finalizers = [...finalizers, KUBERNETES_FINALIZER]
  },
  prepareForUpdate(namespace, old, { subresource }) {
    if (subresource === 'status') return keepSpec(namespace, old)
    // Only the subresource `finalize` writes the spec.
    if (subresource !== 'finalize') keepSpec(namespace, old)
    keepStatus(namespace, old)
  },
  validate: ({ spec }) => (spec?.finalizers ?? []).flatMap((name) => validateSpecFinalizer(name, 'spec.finalizers')),
  validateUpdate(namespace, _old, { subresource }) {
    if (subresource === 'status') return validateStatus(namespace)
    const isIndexed = subresource === 'finalize'
    return (namespace.spec?.finalizers ?? []).flatMap((name, i) =>
      validateSpecFinalizer(name, isIndexed ? `spec.finalizers[${i}]` : 'spec.finalizers'),
    )
  },
  prepareForDeletion(namespace) {
    namespace.status = { ...namespace.status, phase: 'Terminating' }
    // Its content is what takes time, not the object.
    delete namespace.metadata.deletionGracePeriodSeconds
  },
  hasOwnFinalizers: (namespace) => (namespace.spec?.finalizers ?? []).length > 0,
}

function setNameLabel({ metadata }: Namespace): void {
  if (metadata.name) (metadata.labels ??= {})[NAME_LABEL] = metadata.name
}

function validateSpecFinalizer(name: string, path: string): FieldError[] {
  const errors = validateFinalizerName(name, path)
  if (!name.includes('/') && !STANDARD_FINALIZERS.includes(name))
    errors.push(invalidValue(path, name, 'name is neither a standard finalizer name nor is it fully qualified'))
  return errors
}

function validateStatus({ metadata, status }: Namespace): FieldError[] {
  const [phase, condition] =
    metadata.deletionTimestamp === undefined ? ['Active', 'is empty'] : ['Terminating', 'is not empty']
  if (status?.phase === phase) return []
  const text = `may only be '${phase}' if \`deletionTimestamp\` ${condition}`
  return [invalidValue('status.Phase', status?.phase ?? '', text)]
}
