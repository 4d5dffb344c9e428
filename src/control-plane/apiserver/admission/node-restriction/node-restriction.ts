/** A kubelet writes its own node, the pods on it and what belongs to them, and nothing else. */
import type { Lease } from '#api/coordination/v1.gen.ts'
import type { CertificateSigningRequest } from '#api/certificates/v1.gen.ts'
import { parseRequest } from '#api/certificates/certificate-request.ts'
import type { PersistentVolumeClaim } from '#api/core/v1.gen.ts'
import type { ResourceSlice } from '#api/resource/v1.gen.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import type { Authorizer } from '../../authorization/authorizer.ts'
import { refuse, type AdmissionAttributes, type AdmissionPlugin } from '../admission.ts'
import type { ClusterReader } from '../cluster-reader.ts'
import { checkNode } from './nodes.ts'
import { checkPodCertificateRequest } from './pod-certificates.ts'
import { checkPod } from './pods.ts'
import { checkToken } from './tokens.ts'

/** `cluster` and `authorizer`: what a kubelet may do hangs on its pods, and on what others granted to it. */
export type NodeRestrictionParts = { readonly cluster: ClusterReader; readonly authorizer: Authorizer }

type Check = (parts: NodeRestrictionParts, attributes: AdmissionAttributes, nodeName: string) => void | Promise<void>

export function createNodeRestriction(parts: NodeRestrictionParts): AdmissionPlugin {
  return {
    name: 'NodeRestriction',
    async mutate(attributes) {
      const nodeName = nodeOf(attributes)
      if (nodeName === null || attributes.operation === 'CONNECT') return
      const { kind, user } = attributes
      if (nodeName === '') throw refuse(attributes, `could not determine node from user ${JSON.stringify(user.name)}`)
      await CHECKS[`${kind.group}/${kind.resource}`]?.(parts, attributes, nodeName)
    },
  }
}

/** The node that the user speaks for, '' when it is a node without a proper name, null for everybody else. */
function nodeOf({ user }: AdmissionAttributes): string | null {
  if (!user.name.startsWith('system:node:') || !user.groups.includes('system:nodes')) return null
  return user.name.slice('system:node:'.length)
}

const CHECKS: Readonly<Record<string, Check>> = {
  '/pods': checkPod,
  '/nodes': checkNode,
  '/persistentvolumeclaims': checkClaimStatus,
  '/serviceaccounts': checkToken,
  'certificates.k8s.io/podcertificaterequests': checkPodCertificateRequest,
  'certificates.k8s.io/certificatesigningrequests': checkCertificateRequest,
  'coordination.k8s.io/leases': checkLease,
  'storage.k8s.io/csinodes': checkCsiNode,
  'resource.k8s.io/resourceslices': checkResourceSlice,
}

/** Of a claim the kubelet says how large it is, nothing else. */
function checkClaimStatus(_parts: NodeRestrictionParts, attributes: AdmissionAttributes, nodeName: string): void {
  const { subresource, operation, object, oldObject } = attributes
  if (subresource !== 'status') throw refuse(attributes, 'may only update PVC status')
  if (operation !== 'UPDATE') throw refuse(attributes, `unexpected operation ${JSON.stringify(operation)}`)
  if (isSemanticallyEqual(withoutSize(object), withoutSize(oldObject))) return
  throw refuse(
    attributes,
    `node ${JSON.stringify(nodeName)} is not allowed to update fields other than status.quantity and status.conditions`,
  )
}

function withoutSize(object: KubernetesObject | null): unknown {
  const { metadata, status, ...rest } = object as PersistentVolumeClaim
  const { resourceVersion: _version, managedFields: _owners, ...meta } = metadata
  const { capacity: _capacity, conditions: _conditions, ...others } = status ?? {}
  const { allocatedResourceStatuses: _statuses, allocatedResources: _resources, ...kept } = others
  return { ...rest, metadata: meta, status: kept }
}

const nameIn = ({ object, name }: AdmissionAttributes): string => (object as Lease | null)?.metadata.name || name

function checkLease(_parts: NodeRestrictionParts, attributes: AdmissionAttributes, nodeName: string): void {
  if (attributes.namespace !== 'kube-node-lease')
    throw refuse(attributes, 'can only access leases in the "kube-node-lease" system namespace')
  if (nameIn(attributes) !== nodeName)
    throw refuse(attributes, 'can only access node lease with the same name as the requesting node')
}

function checkCsiNode(_parts: NodeRestrictionParts, attributes: AdmissionAttributes, nodeName: string): void {
  if (nameIn(attributes) !== nodeName)
    throw refuse(attributes, 'can only access CSINode with the same name as the requesting node')
  if (attributes.subresource === 'status') throw refuse(attributes, 'CSIVolumeHealth feature gate is disabled')
}

/** Changes are for the node authorizer, which does not see what is created or deleted. */
function checkResourceSlice(_parts: NodeRestrictionParts, attributes: AdmissionAttributes, nodeName: string): void {
  const { operation, object, oldObject } = attributes
  if (operation === 'UPDATE') return
  const slice = (operation === 'CREATE' ? object : oldObject) as ResourceSlice
  if (slice.spec.nodeName === nodeName) return
  const verb = operation === 'CREATE' ? 'create' : 'delete'
  throw refuse(attributes, `can only ${verb} ResourceSlice with the same NodeName as the requesting node`)
}

const KUBELET_SIGNERS = new Set(['kubernetes.io/kubelet-serving', 'kubernetes.io/kube-apiserver-client-kubelet'])

function checkCertificateRequest(
  _parts: NodeRestrictionParts,
  attributes: AdmissionAttributes,
  nodeName: string,
): void {
  if (attributes.operation !== 'CREATE') return
  const { spec } = attributes.object as CertificateSigningRequest
  if (!KUBELET_SIGNERS.has(spec.signerName)) return
  if (commonNameOf(attributes, spec.request) !== `system:node:${nodeName}`)
    throw refuse(attributes, `can only create a node CSR with CN=system:node:${nodeName}`)
}

function commonNameOf(attributes: AdmissionAttributes, request: string): string {
  try {
    return parseRequest(request).subject.commonName
  } catch (error) {
    throw refuse(attributes, `unable to parse csr: ${(error as Error).message}`)
  }
}
