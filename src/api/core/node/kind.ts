/** A machine that runs pods. */
import type { Node } from '#api/core/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'
import { nodeStrategy } from './strategy.ts'

const ROLE_LABEL_PREFIX = 'node-role.kubernetes.io/'
const OLD_ROLE_LABEL = 'kubernetes.io/role'

function nodeCells(node: Node, nowMs: number): unknown[] {
  const info = node.status?.nodeInfo
  const kernel = info?.kernelVersion || '<unknown>'
  return [
    node.metadata.name,
    readiness(node),
    roles(node).join(',') || '<none>',
    formatAge(node.metadata.creationTimestamp, nowMs),
    info?.kubeletVersion ?? '',
    addressOf(node, 'InternalIP'),
    addressOf(node, 'ExternalIP'),
    info?.osImage || '<unknown>',
    info?.architecture ? `${kernel} (${info.architecture})` : kernel,
    info?.containerRuntimeVersion || '<unknown>',
  ]
}

function readiness(node: Node): string {
  const ready = node.status?.conditions?.findLast((condition) => condition.type === 'Ready')
  const status = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'
  return node.spec.unschedulable === true ? `${status},SchedulingDisabled` : status
}

function roles(node: Node): string[] {
  const found = new Set<string>()
  for (const [label, value] of Object.entries(node.metadata.labels ?? {})) {
    if (label.startsWith(ROLE_LABEL_PREFIX)) found.add(label.slice(ROLE_LABEL_PREFIX.length))
    else if (label === OLD_ROLE_LABEL) found.add(value)
  }
  found.delete('')
  return [...found].toSorted()
}

function addressOf(node: Node, type: string): string {
  return node.status?.addresses?.find((address) => address.type === type)?.address ?? '<none>'
}

export const nodeKind = defineKind<Node>('v1/nodes', {
  storagePrefix: 'minions',
  strategy: nodeStrategy,
  row: (object, nowMs) => nodeCells(object, nowMs),
  selectableFields: { 'spec.unschedulable': (object) => String(object.spec.unschedulable ?? false) },
})
