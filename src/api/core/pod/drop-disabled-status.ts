/** Removes what a kubelet tells of features that are off, unless the stored status tells of them already. */
import type { ContainerStatus, PodStatus } from '#api/core/v1.gen.ts'
import type { FeatureGate, FeatureGates } from '#base/feature-gates.ts'

type StatusDrop = {
  readonly gate: FeatureGate
  isUsed(status: PodStatus): boolean
  drop(status: PodStatus): void
}

const STATUS_DROPS: readonly StatusDrop[] = [
  {
    gate: 'InPlacePodLevelResourcesVerticalScaling',
    isUsed: ({ resources, allocatedResources }) => resources !== undefined || allocatedResources !== undefined,
    drop(status) {
      delete status.resources
      delete status.allocatedResources
    },
  },
  containerDrop('ResourceHealthStatus', {
    isUsed: ({ allocatedResourcesStatus }) => allocatedResourcesStatus !== undefined,
    drop: (status) => delete status.allocatedResourcesStatus,
  }),
  containerDrop('ResourceHealthStatusMessage', {
    isUsed: ({ allocatedResourcesStatus = [] }) =>
      allocatedResourcesStatus.some(({ resources = [] }) => resources.some(({ message }) => message !== undefined)),
    drop({ allocatedResourcesStatus = [] }) {
      for (const { resources = [] } of allocatedResourcesStatus) for (const one of resources) delete one.message
    },
  }),
  containerDrop('ImageVolumeWithDigest', {
    isUsed: ({ volumeMounts = [] }) => volumeMounts.some(({ volumeStatus }) => volumeStatus !== undefined),
    drop({ volumeMounts = [] }) {
      for (const mount of volumeMounts) delete mount.volumeStatus
    },
  }),
  {
    gate: 'DRANodeAllocatableResources',
    isUsed: ({ nodeAllocatableResourceClaimStatuses: claims }) => claims !== undefined && claims.length > 0,
    drop: (status) => delete status.nodeAllocatableResourceClaimStatuses,
  },
  {
    gate: 'CSIVolumeHealth',
    isUsed: ({ volumeHealth }) => volumeHealth !== undefined && volumeHealth.length > 0,
    drop: (status) => delete status.volumeHealth,
  },
]

export function dropDisabledStatusFields(status: PodStatus, old: PodStatus, features: FeatureGates): void {
  for (const { gate, isUsed, drop } of STATUS_DROPS) if (!features.isEnabled(gate) && !isUsed(old)) drop(status)
}

type ContainerDrop = { isUsed(status: ContainerStatus): boolean; drop(status: ContainerStatus): void }

function containerDrop(gate: FeatureGate, { isUsed, drop }: ContainerDrop): StatusDrop {
  return {
    gate,
    isUsed: (status) => statusesOf(status).some(isUsed),
    drop(status) {
      for (const one of statusesOf(status)) drop(one)
    },
  }
}

function statusesOf({
  containerStatuses,
  initContainerStatuses,
  ephemeralContainerStatuses,
}: PodStatus): ContainerStatus[] {
  return [...(containerStatuses ?? []), ...(initContainerStatuses ?? []), ...(ephemeralContainerStatuses ?? [])]
}
