/** How patient the cluster is with silent nodes, and how fast it empties them; named after kube-controller-manager's flags. */
export type NodeLifecycleOptions = {
  /** Time between two looks at all nodes. */
  readonly nodeMonitorPeriodMs: number
  /** Silence after which a node counts as lost; several times the kubelet's lease renewal. */
  readonly nodeMonitorGracePeriodMs: number
  /** The same for a node that never posted its status. */
  readonly nodeStartupGracePeriodMs: number
  /** Nodes per second that lose their pods, in a zone where most nodes are well. */
  readonly nodeEvictionRate: number
  /** The same in a large zone where many are not. */
  readonly secondaryNodeEvictionRate: number
  /** Nodes up to which a zone is small: there, evictions stop when many nodes are not well. */
  readonly largeClusterSizeThreshold: number
  /** Share of nodes that are not ready from which on a zone is partially disrupted. */
  readonly unhealthyZoneThreshold: number
}

export const NODE_LIFECYCLE_DEFAULTS: NodeLifecycleOptions = {
  nodeMonitorPeriodMs: 5_000,
  nodeMonitorGracePeriodMs: 50_000,
  nodeStartupGracePeriodMs: 60_000,
  nodeEvictionRate: 0.1,
  secondaryNodeEvictionRate: 0.01,
  largeClusterSizeThreshold: 50,
  unhealthyZoneThreshold: 0.55,
}
