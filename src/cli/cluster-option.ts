/** The option that names a cluster, and the cluster it means. */
import { checkClusterName, ClusterError, loadState, type ClusterState } from '#cluster/cluster-state.ts'

export const NAME_FLAG = '--name <name>'
export const NAME_HELP = 'name of the cluster'
export const DEFAULT_NAME = 'kubets'

/** The cluster of that name; an error that names the way out when there is none. */
export async function requireCluster(name: string): Promise<ClusterState> {
  checkClusterName(name)
  const state = await loadState(name)
  if (state === null)
    throw new ClusterError(
      `there is no cluster "${name}" on this machine. Start it with: kubets up${name === DEFAULT_NAME ? '' : ` --name ${name}`}`,
    )
  return state
}
