/** A scope of names; goes away only when its content is gone. */
import type { Namespace } from '#api/core/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import type { Strategy } from '#api/kind.ts'
import { keepSpec, keepStatus } from '#api/strategies.ts'
import { formatAge } from '#api/table-cells.ts'

/** Namespaces live until the content is gone: this finalizer is theirs. */
const KUBERNETES_FINALIZER = 'kubernetes'

const strategy: Strategy<Namespace> = {
  prepareForCreate(namespace) {
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
  hasOwnFinalizers: (namespace) => (namespace.spec?.finalizers ?? []).length > 0,
}

export const namespaceKind = defineKind<Namespace>('v1/namespaces', {
  strategy,
  row: (object, nowMs) => [
    object.metadata.name,
    object.status?.phase ?? '',
    formatAge(object.metadata.creationTimestamp, nowMs),
  ],
  selectableFields: { 'status.phase': (object) => object.status?.phase ?? '' },
})
