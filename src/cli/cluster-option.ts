/** The option that names a cluster, and the cluster it means. */
import { checkClusterName, ClusterError, listClusters, loadState, type ClusterState } from '#cluster/cluster-state.ts'

export const NAME_FLAG = '--name <name>'
export const NAME_HELP = 'name of the cluster'

/** The cluster of that name; an error that names the others when there is none. */
export async function requireCluster(name: string): Promise<ClusterState> {
  checkClusterName(name)
  const state = await loadState(name)
  if (state !== null) return state
  const others = await listClusters()
  const known = others.length === 0 ? 'There are none: start one with kubets up' : `There are: ${others.join(', ')}`
  throw new ClusterError(`there is no cluster "${name}" on this machine. ${known}`)
}
