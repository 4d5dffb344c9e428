/** What happens to objects of a namespace that does not exist: it is made for them, or they are refused whatever the verb. */
import { notFound } from '#machinery/status-error.ts'
import type { AdmissionAttributes, AdmissionPlugin } from './admission.ts'
import type { ClusterReader } from './cluster-reader.ts'

/** Creates a namespace of this name; one that is there already is fine. */
export type NamespaceCreator = (name: string) => Promise<void>

export function createNamespaceAutoProvision(cluster: ClusterReader, create: NamespaceCreator): AdmissionPlugin {
  return {
    name: 'NamespaceAutoProvision',
    async mutate(attributes) {
      if (attributes.operation !== 'CREATE' || attributes.dryRun || !isInNamespace(attributes)) return
      if ((await namespaceOf(cluster, attributes)) === null) await create(attributes.namespace)
    },
  }
}

export function createNamespaceExists(cluster: ClusterReader): AdmissionPlugin {
  return {
    name: 'NamespaceExists',
    async validate(attributes) {
      if (attributes.operation === 'CONNECT' || !isInNamespace(attributes)) return
      if ((await namespaceOf(cluster, attributes)) === null)
        throw notFound({ group: '', resource: 'namespaces' }, attributes.namespace)
    },
  }
}

function isInNamespace({ kind, namespace }: AdmissionAttributes): boolean {
  return namespace !== '' && !(kind.group === '' && kind.resource === 'namespaces')
}

const namespaceOf = (cluster: ClusterReader, { namespace }: AdmissionAttributes) =>
  cluster.get('', 'namespaces', '', namespace)
