/** Who makes an object go with its owner must be allowed to delete it; who lets it hold up the owner's deletion, to finalize the owner. */
import type { KindDefinition } from '#api/kind.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import type { OwnerReference } from '#machinery/meta/v1.gen.ts'
import type { Attributes, Authorizer } from '../authorization/authorizer.ts'
import { refuse, type AdmissionAttributes, type AdmissionPlugin } from './admission.ts'

export function createOwnerReferencesPermissionEnforcement(
  authorizer: Authorizer,
  kinds: readonly KindDefinition[],
): AdmissionPlugin {
  return {
    name: 'OwnerReferencesPermissionEnforcement',
    async validate(attributes) {
      const { operation, object, oldObject, kind, subresource } = attributes
      if ((operation !== 'CREATE' && operation !== 'UPDATE') || object === null) return
      // A kubelet's report cannot change owners.
      if (kind.group === '' && kind.resource === 'pods' && subresource === 'status') return
      const [owners, oldOwners] = [ownersOf(object), ownersOf(oldObject)]
      if (isSemanticallyEqual(owners, oldOwners)) return
      if (operation === 'UPDATE') await requireDelete(authorizer, attributes)
      const blocking = newlyBlocking(owners, oldOwners)
      if (blocking.length === 0 || (await authorizer.authorize(finalizeAnything(attributes))).verdict === 'allow')
        return
      for (const owner of blocking) await requireFinalize(authorizer, kinds, attributes, owner)
    },
  }
}

const ownersOf = (object: KubernetesObject | null): readonly OwnerReference[] => object?.metadata.ownerReferences ?? []

function newlyBlocking(owners: readonly OwnerReference[], old: readonly OwnerReference[]): OwnerReference[] {
  const blocked = new Set(old.filter(({ blockOwnerDeletion }) => blockOwnerDeletion === true).map(({ uid }) => uid))
  return owners.filter(({ blockOwnerDeletion, uid }) => blockOwnerDeletion === true && !blocked.has(uid))
}

async function requireDelete(authorizer: Authorizer, attributes: AdmissionAttributes): Promise<void> {
  const { user, namespace, kind, subresource, name } = attributes
  const { group, version, resource } = kind
  const wanted = { user, verb: 'delete', isResourceRequest: true, namespace, group, version, resource, subresource }
  const { verdict, reason } = await authorizer.authorize({ ...wanted, name, path: '' })
  if (verdict !== 'allow')
    throw refuse(attributes, `cannot set an ownerRef on a resource you can't delete: ${reason}, <nil>`)
}

function finalizeAnything({ user }: AdmissionAttributes): Attributes {
  const all = { namespace: '', group: '*', version: '*', resource: '*', name: '*' }
  return { user, verb: 'update', isResourceRequest: true, subresource: 'finalizers', path: '', ...all }
}

async function requireFinalize(
  authorizer: Authorizer,
  kinds: readonly KindDefinition[],
  attributes: AdmissionAttributes,
  { apiVersion, kind, name }: OwnerReference,
): Promise<void> {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/', 2) : ['', apiVersion]
  const owners = kinds.filter((one) => one.group === group && one.version === version && one.kind === kind)
  if (owners.length === 0)
    throw refuse(
      attributes,
      `cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion ${apiVersion} Kind ${kind}: no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(apiVersion)}`,
    )
  for (const { resource, namespaced } of owners) {
    const { verdict, reason } = await authorizer.authorize({
      user: attributes.user,
      verb: 'update',
      isResourceRequest: true,
      namespace: namespaced ? attributes.namespace : '',
      group: group!,
      version: version!,
      resource,
      subresource: 'finalizers',
      name,
      path: '',
    })
    if (verdict !== 'allow')
      throw refuse(
        attributes,
        `cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: ${reason}, <nil>`,
      )
  }
}
