/** A kubelet writes its own node, the pods on it and its own lease, and nothing else. */
import type { Node, Pod } from '#api/core/v1.gen.ts'
import { forbidden } from '#machinery/status-error.ts'
import type { AdmissionAttributes, AdmissionPlugin } from './admission.ts'
import type { ClusterReader } from './cluster-reader.ts'

const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror'
/** Labels of Kubernetes' own domains that a kubelet may set on its node. */
const KUBELET_LABELS = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'node.kubernetes.io/instance-type',
  'beta.kubernetes.io/instance-type',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
])
const KUBELET_LABEL_DOMAINS = ['kubelet.kubernetes.io', 'node.kubernetes.io']

export function createNodeRestriction(cluster: ClusterReader): AdmissionPlugin {
  return {
    name: 'NodeRestriction',
    async mutate(attributes) {
      const nodeName = nodeOf(attributes)
      if (nodeName === null) return
      const { kind } = attributes
      if (nodeName === '') refuse(attributes, 'could not determine node identity from user')
      if (kind.group === '' && kind.resource === 'pods') await checkPod(cluster, attributes, nodeName)
      else if (kind.group === '' && kind.resource === 'nodes') checkNode(attributes, nodeName)
      else if (kind.group === 'coordination.k8s.io' && kind.resource === 'leases') checkLease(attributes, nodeName)
    },
  }
}

/** The node that the user speaks for, '' when it is a node without a proper name, null for everybody else. */
function nodeOf({ user }: AdmissionAttributes): string | null {
  if (!user.groups.includes('system:nodes')) return null
  return user.name.startsWith('system:node:') ? user.name.slice('system:node:'.length) : ''
}

function refuse({ kind, name }: AdmissionAttributes, why: string): never {
  throw forbidden({ group: kind.group, resource: kind.resource }, name, why)
}

async function checkPod(cluster: ClusterReader, attributes: AdmissionAttributes, nodeName: string): Promise<void> {
  const { operation, subresource, namespace, name } = attributes
  if (subresource === '' && operation === 'CREATE') return checkMirrorPod(attributes, nodeName)
  if (subresource === 'status' && operation === 'UPDATE') {
    const old = attributes.oldObject as Pod
    if (old.spec.nodeName !== nodeName)
      refuse(
        attributes,
        `node ${JSON.stringify(nodeName)} can only update pod status for pods with spec.nodeName set to itself`,
      )
    return
  }
  if (operation === 'DELETE') {
    const pod = (attributes.oldObject as Pod | null) ?? (await cluster.get<Pod>('', 'pods', namespace, name))
    if (pod !== null && pod.spec.nodeName !== nodeName)
      refuse(attributes, `node ${JSON.stringify(nodeName)} can only delete pods with spec.nodeName set to itself`)
    return
  }
  if (operation === 'UPDATE' || operation === 'CREATE')
    refuse(
      attributes,
      `unexpected operation ${JSON.stringify(operation)}, node ${JSON.stringify(nodeName)} can only create and delete mirror pods`,
    )
}

function checkMirrorPod(attributes: AdmissionAttributes, nodeName: string): void {
  const pod = attributes.object as Pod
  if (pod.metadata.annotations?.[MIRROR_ANNOTATION] === undefined)
    refuse(
      attributes,
      `pod does not have ${JSON.stringify(MIRROR_ANNOTATION)} annotation, node ${JSON.stringify(nodeName)} can only create mirror pods`,
    )
  if (pod.spec.nodeName !== nodeName)
    refuse(attributes, `node ${JSON.stringify(nodeName)} can only create pods with spec.nodeName set to itself`)
}

function checkNode(attributes: AdmissionAttributes, nodeName: string): void {
  const { operation, name, object, oldObject } = attributes
  const quoted = JSON.stringify(nodeName)
  if (name !== nodeName) refuse(attributes, `node ${quoted} is not allowed to modify node ${JSON.stringify(name)}`)
  if (operation === 'DELETE' || object === null) return
  const node = object as Node
  if (node.spec.configSource !== undefined && oldObject === null)
    refuse(attributes, `node ${quoted} is not allowed to create pods with a non-nil configSource`)
  const restricted = changedLabels(node, oldObject as Node | null).filter((label) => !mayKubeletSet(label))
  if (restricted.length > 0)
    refuse(
      attributes,
      `is not allowed to ${operation === 'CREATE' ? 'set' : 'modify'} the following labels: ${restricted.toSorted().join(', ')}`,
    )
  if (
    operation === 'UPDATE' &&
    JSON.stringify(node.spec.taints ?? []) !== JSON.stringify((oldObject as Node).spec.taints ?? [])
  )
    refuse(attributes, `node ${quoted} is not allowed to modify taints`)
}

function changedLabels(node: Node, old: Node | null): string[] {
  const [now, before] = [node.metadata.labels ?? {}, old?.metadata.labels ?? {}]
  return [...new Set([...Object.keys(now), ...Object.keys(before)])].filter((label) => now[label] !== before[label])
}

/** Labels outside Kubernetes' domains are free; of its own only the well-known ones. */
function mayKubeletSet(label: string): boolean {
  if (KUBELET_LABELS.has(label)) return true
  const domain = label.includes('/') ? label.slice(0, label.indexOf('/')) : ''
  if (KUBELET_LABEL_DOMAINS.some((own) => domain === own || domain.endsWith(`.${own}`))) return true
  const isReserved = (zone: string): boolean => domain === zone || domain.endsWith(`.${zone}`)
  return !isReserved('kubernetes.io') && !isReserved('k8s.io')
}

function checkLease(attributes: AdmissionAttributes, nodeName: string): void {
  if (attributes.namespace !== 'kube-node-lease')
    refuse(attributes, 'can only access leases in the "kube-node-lease" system namespace')
  if (attributes.name !== nodeName)
    refuse(attributes, 'can only access node lease with the same name as the requesting node')
}
