/** Containers that run together on one node. */
import type { Pod } from '#api/core/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { podStrategy } from './strategy.ts'
import { podCells, podRowConditions } from './table.ts'

export const podKind = defineKind<Pod>('v1/pods', {
  indexedField: 'spec.nodeName',
  answersDeleted: true,
  strategy: podStrategy,
  row: podCells,
  rowConditions: podRowConditions,
  selectableFields: {
    'spec.hostNetwork': (pod) => String(pod.spec.hostNetwork ?? false),
    'spec.nodeName': (pod) => pod.spec.nodeName ?? '',
    'spec.restartPolicy': (pod) => pod.spec.restartPolicy ?? '',
    'spec.schedulerName': (pod) => pod.spec.schedulerName ?? '',
    'spec.serviceAccountName': (pod) => pod.spec.serviceAccountName ?? '',
    'status.nominatedNodeName': (pod) => pod.status?.nominatedNodeName ?? '',
    'status.phase': (pod) => pod.status?.phase ?? '',
    'status.podIP': (pod) => pod.status?.podIPs?.[0]?.ip ?? '',
    // Upstream accepts this selector and holds no value for it: it never matches an address.
    'status.podIPs': () => '',
  },
})
