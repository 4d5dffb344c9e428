/** The scheduler's plugins, in upstream's order with upstream's weights. */
import type { WeightedPlugin } from '../framework.ts'
import { balancedAllocation } from './balanced-allocation.ts'
import { defaultBinder } from './default-binder.ts'
import { createDefaultPreemption, type PreemptionOptions } from './default-preemption.ts'
import type { WorkloadListers } from './default-selector.ts'
import { dynamicResources } from './dynamic-resources.ts'
import { imageLocality } from './image-locality.ts'
import { createInterPodAffinity, type InterPodAffinityOptions } from './inter-pod-affinity.ts'
import { nodeAffinity } from './node-affinity.ts'
import { nodeName } from './node-name.ts'
import { nodePorts } from './node-ports.ts'
import { nodeResourcesFit } from './node-resources-fit.ts'
import { nodeUnschedulable } from './node-unschedulable.ts'
import { createPodTopologySpread } from './pod-topology-spread.ts'
import { createNodeVolumeLimits, type NodeVolumeLimitsOptions } from './node-volume-limits.ts'
import { schedulingGates } from './scheduling-gates.ts'
import { taintToleration } from './taint-toleration.ts'
import { createVolumeBinding, type VolumeBindingOptions } from './volume-binding.ts'
import { createVolumeRestrictions } from './volume-restrictions.ts'
import { createVolumeZone } from './volume-zone.ts'

export type PluginOptions = InterPodAffinityOptions &
  PreemptionOptions &
  WorkloadListers &
  VolumeBindingOptions &
  NodeVolumeLimitsOptions

/** A weight that upstream's configuration leaves at 0 counts as 1 where the plugin scores. */
export function defaultPlugins(options: PluginOptions): readonly WeightedPlugin[] {
  return [
    { plugin: schedulingGates, weight: 0 },
    { plugin: nodeName, weight: 0 },
    { plugin: nodeUnschedulable, weight: 0 },
    { plugin: taintToleration, weight: 3 },
    { plugin: nodeAffinity, weight: 2 },
    { plugin: nodePorts, weight: 0 },
    { plugin: nodeResourcesFit, weight: 1 },
    { plugin: createVolumeRestrictions(options), weight: 0 },
    { plugin: createNodeVolumeLimits(options), weight: 0 },
    { plugin: createVolumeBinding(options), weight: 1 },
    { plugin: createVolumeZone(options), weight: 0 },
    { plugin: createPodTopologySpread(options), weight: 2 },
    { plugin: createInterPodAffinity(options), weight: 2 },
    { plugin: dynamicResources, weight: 0 },
    { plugin: createDefaultPreemption(options), weight: 0 },
    { plugin: balancedAllocation, weight: 1 },
    { plugin: imageLocality, weight: 1 },
    { plugin: defaultBinder, weight: 0 },
  ]
}
