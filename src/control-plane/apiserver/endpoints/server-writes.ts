/** What the API server writes for itself while it works on a request: namespaces that are wanted, and who has which address. */
import type { IPAddress } from '#api/networking/v1.gen.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import type { Draft } from '#machinery/meta/template.ts'
import { isAlreadyExists, isNotFound } from '#machinery/status-error.ts'
import type { ObjectDeleter } from '../registry/object-deleter.ts'
import type { ObjectWriter } from '../registry/object-writer.ts'
import type { Resources } from '../registry/resource.ts'
import type { AddressRecords } from '../registry/service-addresses.ts'
import type { WriteContext } from '../registry/write-context.ts'
import type { UserInfo } from '../request.ts'
import type { ResourceDependencies } from '../resource-backend.ts'

const SERVER: UserInfo = { name: 'system:apiserver', uid: '', groups: ['system:masters'], extra: {} }

type Base = Pick<ResourceDependencies, 'clock' | 'random' | 'features'>

/** The context of such a write. */
export function serverPlace(
  { clock, random, features }: Base,
  { namespace = '', name, subresource = '' }: { namespace?: string; name: string; subresource?: string },
): WriteContext {
  return {
    user: SERVER,
    namespace,
    name,
    subresource,
    dryRun: false,
    fieldManager: 'kube-apiserver',
    annotate: () => {},
    strategy: { clock, random, features, subresource, warn: () => {}, user: SERVER },
  }
}

export type ServerWriteParts = {
  readonly resources: Resources
  readonly writer: () => ObjectWriter
  readonly deleter: () => ObjectDeleter
  readonly base: Base & Pick<ResourceDependencies, 'log'>
}

/** One that is there already is as good. */
export async function createNamespace({ resources, writer, base }: ServerWriteParts, name: string): Promise<void> {
  const object = { kind: 'Namespace', apiVersion: 'v1', metadata: { name }, spec: {}, status: {} }
  const namespaces = resources.get('', 'v1', 'namespaces')!
  await writer()
    .create(namespaces, { object: object as unknown as KubernetesObject }, serverPlace(base, { name }))
    .catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error
    })
}

export function createAddressRecords({ resources, writer, deleter, base }: ServerWriteParts): AddressRecords {
  const addresses = resources.get('networking.k8s.io', 'v1', 'ipaddresses')!
  return {
    async create(address: Draft<IPAddress>) {
      const object = { kind: 'IPAddress', apiVersion: 'networking.k8s.io/v1', ...address }
      const { name } = address.metadata as { name: string }
      await writer().create(addresses, { object: object as unknown as KubernetesObject }, serverPlace(base, { name }))
    },
    async remove(name) {
      const place = { ...serverPlace(base, { name }), isAdmitted: true }
      await deleter()
        .delete(addresses, {}, place)
        .catch((error: unknown) => {
          // What is left is found by the repair.
          if (!isNotFound(error)) base.log.warn('an IPAddress could not be removed', { name, error: String(error) })
        })
    },
  }
}
