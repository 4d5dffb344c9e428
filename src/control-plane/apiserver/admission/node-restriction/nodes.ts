/** What a kubelet may say of its own Node: nothing that would bring it pods that are not meant for it. */
import type { Node } from '#api/core/v1.gen.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { refuse, type AdmissionAttributes } from '../admission.ts'

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

export function checkNode(_parts: unknown, attributes: AdmissionAttributes, nodeName: string): void {
  const { operation, name } = attributes
  const who = `node ${JSON.stringify(nodeName)}`
  if (name !== nodeName) throw refuse(attributes, `${who} is not allowed to modify node ${JSON.stringify(name)}`)
  if (operation === 'CREATE') checkNewNode(attributes, attributes.object as Node, who)
  if (operation === 'UPDATE') checkChange(attributes, who)
}

function checkNewNode(attributes: AdmissionAttributes, { metadata, spec }: Node, who: string): void {
  if (spec?.configSource !== undefined)
    throw refuse(attributes, `${who} is not allowed to create pods with a non-nil configSource`)
  const labels = restrictedLabels(metadata.labels, {})
  if (labels !== '') throw refuse(attributes, `${who} is not allowed to set the following labels: ${labels}`)
}

function checkChange(attributes: AdmissionAttributes, who: string): void {
  const [node, old] = [attributes.object as Node, attributes.oldObject as Node]
  const { configSource } = node.spec
  if (configSource !== undefined && !isSemanticallyEqual(configSource, old.spec.configSource))
    throw refuse(attributes, `${who} is not allowed to update configSource to a new non-nil configSource`)
  if (!isSemanticallyEqual(node.spec.taints, old.spec.taints))
    throw refuse(attributes, `${who} is not allowed to modify taints`)
  if (!isSemanticallyEqual(node.metadata.ownerReferences, old.metadata.ownerReferences))
    throw refuse(attributes, `${who} is not allowed to modify ownerReferences`)
  const labels = restrictedLabels(node.metadata.labels, old.metadata.labels)
  if (labels !== '') throw refuse(attributes, `is not allowed to modify labels: ${labels}`)
}

type Labels = Readonly<Record<string, string>>

function restrictedLabels(now: Labels = {}, before: Labels = {}): string {
  const all = new Set([...Object.keys(now), ...Object.keys(before)])
  return [...all]
    .filter((label) => now[label] !== before[label] && isRestricted(label))
    .toSorted()
    .join(', ')
}

/** Labels outside Kubernetes' domains are free, of its own only the well-known ones. */
function isRestricted(label: string): boolean {
  const domain = label.includes('/') ? label.slice(0, label.indexOf('/')) : ''
  const isIn = (zone: string): boolean => domain === zone || domain.endsWith(`.${zone}`)
  if (isIn('node-restriction.kubernetes.io')) return true
  const isKubelets = KUBELET_LABELS.has(label) || KUBELET_LABEL_DOMAINS.some(isIn)
  return !isKubelets && (isIn('kubernetes.io') || isIn('k8s.io'))
}
