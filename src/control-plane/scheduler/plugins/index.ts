/** The scheduler's plugins, in upstream's order with upstream's weights. */
import type { Plugin, WeightedPlugin } from '../framework.ts'
import { balancedAllocation } from './balanced-allocation.ts'
import { defaultBinder } from './default-binder.ts'
import { createDefaultPreemption, type PreemptionOptions } from './default-preemption.ts'
import { imageLocality } from './image-locality.ts'
import { createInterPodAffinity, type InterPodAffinityOptions } from './inter-pod-affinity.ts'
import { nodeAffinity } from './node-affinity.ts'
import { nodeName } from './node-name.ts'
import { nodePorts } from './node-ports.ts'
import { nodeResourcesFit } from './node-resources-fit.ts'
import { nodeUnschedulable } from './node-unschedulable.ts'
import { podTopologySpread } from './pod-topology-spread.ts'
import { schedulingGates } from './scheduling-gates.ts'
import { taintToleration } from './taint-toleration.ts'

export type PluginOptions = InterPodAffinityOptions & Omit<PreemptionOptions, 'plugins'>

export function defaultPlugins(options: PluginOptions): readonly WeightedPlugin[] {
  const plugins: WeightedPlugin[] = [
    { plugin: schedulingGates, weight: 0 },
    { plugin: nodeName, weight: 0 },
    { plugin: nodeUnschedulable, weight: 0 },
    { plugin: taintToleration, weight: 3 },
    { plugin: nodeAffinity, weight: 2 },
    { plugin: nodePorts, weight: 0 },
    { plugin: nodeResourcesFit, weight: 1 },
    { plugin: podTopologySpread, weight: 2 },
    { plugin: createInterPodAffinity(options), weight: 2 },
  ]
  const filters: readonly Plugin[] = plugins.map(({ plugin }) => plugin)
  return [
    ...plugins,
    { plugin: createDefaultPreemption({ ...options, plugins: () => filters }), weight: 0 },
    { plugin: balancedAllocation, weight: 1 },
    { plugin: imageLocality, weight: 1 },
    { plugin: defaultBinder, weight: 0 },
  ]
}
