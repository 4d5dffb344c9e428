/** What a kubelet may do with pods: tell the state of its own, end and evict them, and show its static ones as mirror pods. */
import type { Node, Pod } from '#api/core/v1.gen.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { notFound } from '#machinery/status-error.ts'
import { refuse, type AdmissionAttributes } from '../admission.ts'
import type { ClusterReader } from '../cluster-reader.ts'
import { apiReferenceOf } from './api-references.ts'
import type { NodeRestrictionParts } from './node-restriction.ts'

const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror'

export async function checkPod(
  { cluster }: NodeRestrictionParts,
  attributes: AdmissionAttributes,
  nodeName: string,
): Promise<void> {
  const { subresource } = attributes
  if (subresource === 'status') return checkStatus(attributes, nodeName)
  if (subresource === 'eviction') return checkEviction(cluster, attributes, nodeName)
  if (subresource !== '')
    throw refuse(
      attributes,
      `unexpected pod subresource ${JSON.stringify(subresource)}, only 'status' and 'eviction' are allowed`,
    )
  const { operation } = attributes
  const who = `node ${JSON.stringify(nodeName)}`
  if (operation === 'CREATE') return checkMirrorPod(cluster, attributes, nodeName)
  if (operation !== 'DELETE')
    throw refuse(
      attributes,
      `unexpected operation ${JSON.stringify(operation)}, ${who} can only create and delete mirror pods`,
    )
  if ((await podOf(cluster, attributes, attributes.name)).spec.nodeName !== nodeName)
    throw refuse(attributes, `${who} can only delete pods with spec.nodeName set to itself`)
}

/** Throws 404 when it is gone. */
export async function podOf(
  cluster: ClusterReader,
  { namespace, oldObject, kind }: AdmissionAttributes,
  name: string,
): Promise<Pod> {
  if (oldObject !== null && kind.resource === 'pods') return oldObject as Pod
  const pod = await cluster.get<Pod>('', 'pods', namespace, name)
  if (pod === null) throw notFound({ group: '', resource: 'pods' }, name)
  return pod
}

async function checkEviction(cluster: ClusterReader, attributes: AdmissionAttributes, nodeName: string): Promise<void> {
  const { operation, name } = attributes
  if (operation !== 'CREATE') throw refuse(attributes, `unexpected operation ${operation}`)
  if ((await podOf(cluster, attributes, name)).spec.nodeName !== nodeName)
    throw refuse(attributes, `node ${nodeName} can only evict pods with spec.nodeName set to itself`)
}

function checkStatus(attributes: AdmissionAttributes, nodeName: string): void {
  const { operation } = attributes
  const who = `node ${JSON.stringify(nodeName)}`
  if (operation !== 'UPDATE') throw refuse(attributes, `unexpected operation ${JSON.stringify(operation)}`)
  const [pod, old] = [attributes.object as Pod, attributes.oldObject as Pod]
  if (old.spec.nodeName !== nodeName)
    throw refuse(attributes, `${who} can only update pod status for pods with spec.nodeName set to itself`)
  if (!isSemanticallyEqual(pod.metadata.labels ?? {}, old.metadata.labels ?? {}))
    throw refuse(attributes, `${who} cannot update labels through pod status`)
  const [now, before] = [pod.status ?? {}, old.status ?? {}]
  if (!isSemanticallyEqual(now.resourceClaimStatuses, before.resourceClaimStatuses))
    throw refuse(attributes, `${who} cannot update resource claim statues`)
  if (!isSemanticallyEqual(now.extendedResourceClaimStatus, before.extendedResourceClaimStatus))
    throw refuse(attributes, `${who} cannot update extended resource claim status`)
  if (!isSemanticallyEqual(now.nodeAllocatableResourceClaimStatuses, before.nodeAllocatableResourceClaimStatuses))
    throw refuse(attributes, `${who} cannot update node allocatable resource claim statuses`)
}

async function checkMirrorPod(
  cluster: ClusterReader,
  attributes: AdmissionAttributes,
  nodeName: string,
): Promise<void> {
  const pod = attributes.object as Pod
  const who = `node ${JSON.stringify(nodeName)}`
  if (pod.metadata.annotations?.[MIRROR_ANNOTATION] === undefined)
    throw refuse(
      attributes,
      `pod does not have ${JSON.stringify(MIRROR_ANNOTATION)} annotation, ${who} can only create mirror pods`,
    )
  if (pod.spec.nodeName !== nodeName)
    throw refuse(attributes, `${who} can only create pods with spec.nodeName set to itself`)
  await checkOwner(cluster, attributes, nodeName)
  const reference = apiReferenceOf(pod)
  if (reference !== null) throw refuse(attributes, `${who} can not create pods that reference ${reference}`)
}

async function checkOwner(cluster: ClusterReader, attributes: AdmissionAttributes, nodeName: string): Promise<void> {
  const who = `node ${JSON.stringify(nodeName)}`
  const [owner, ...others] = attributes.object!.metadata.ownerReferences ?? []
  if (others.length > 0)
    throw refuse(attributes, `${who} can only create pods with a single owner reference set to itself`)
  const isNode = owner?.apiVersion === 'v1' && owner.kind === 'Node' && owner.name === nodeName
  if (owner === undefined || !isNode)
    throw refuse(attributes, `${who} can only create pods with an owner reference set to itself`)
  if (owner.controller !== true)
    throw refuse(attributes, `${who} can only create pods with a controller owner reference set to itself`)
  if (owner.blockOwnerDeletion === true)
    throw refuse(attributes, `${who} must not set blockOwnerDeletion on an owner reference`)
  const node = await cluster.get<Node>('', 'nodes', '', nodeName)
  if (node === null) throw notFound({ group: '', resource: 'nodes' }, nodeName)
  if (owner.uid !== node.metadata.uid)
    throw refuse(attributes, `node ${nodeName} UID mismatch: expected ${owner.uid} got ${node.metadata.uid}`)
}
