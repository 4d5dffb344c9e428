/** Nothing is created in a namespace that does not exist or is going; the namespaces of the system stay. */
import type { Namespace } from '#api/core/v1.gen.ts'
import { forbidden, notFound, StatusError } from '#machinery/status-error.ts'
import type { AdmissionAttributes, AdmissionPlugin } from './admission.ts'
import type { ClusterReader } from './cluster-reader.ts'

const IMMORTAL = new Set(['default', 'kube-system', 'kube-public'])

export function createNamespaceLifecycle(cluster: ClusterReader): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    async mutate(attributes) {
      const { operation, kind, namespace, name } = attributes
      const isNamespace = kind.group === '' && kind.resource === 'namespaces'
      if (operation === 'DELETE' && isNamespace && IMMORTAL.has(name))
        throw forbidden({ group: '', resource: 'namespaces' }, name, 'this namespace may not be deleted')
      if (operation === 'DELETE' || isNamespace || !kind.namespaced || namespace === '') return
      const found = await cluster.get<Namespace>('', 'namespaces', '', namespace)
      if (found === null) throw notFound({ group: '', resource: 'namespaces' }, namespace)
      if (operation === 'CREATE' && found.status?.phase === 'Terminating') throw terminating(attributes)
    },
  }
}

function terminating({ kind, name, namespace }: AdmissionAttributes): StatusError {
  const refusal = forbidden(
    { group: kind.group, resource: kind.resource },
    name,
    `unable to create new content in namespace ${namespace} because it is being terminated`,
  )
  const cause = {
    reason: 'NamespaceTerminating',
    message: `namespace ${namespace} is being terminated`,
    field: 'metadata.namespace',
  }
  return new StatusError({
    code: 403,
    reason: 'Forbidden',
    message: refusal.message,
    details: { ...refusal.details, causes: [cause] },
  })
}
