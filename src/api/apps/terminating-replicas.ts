/** Removes the count of replicas that are going where its feature is off, unless the stored status has it already. */
import type { FeatureGates } from '#base/feature-gates.ts'

type Status = { terminatingReplicas?: number } | undefined

export function dropTerminatingReplicas(status: Status, old: Status, features: FeatureGates): void {
  if (features.isEnabled('DeploymentReplicaSetTerminatingReplicas') || old?.terminatingReplicas !== undefined) return
  delete status?.terminatingReplicas
}
