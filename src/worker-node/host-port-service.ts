/** The contract by which a node's kubelet tells its network which ports of the node lead to which pod. */

export type HostPort = {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP'
  /** Address of the node on which the port answers; '' for all. */
  readonly hostIp: string
  readonly hostPort: number
  readonly containerPort: number
}

/** Calls may overlap; they take effect in their order. Absent where the CNI configuration serves host ports itself (portmap). */
export interface HostPortService {
  /** Makes these the pod's host ports, in place of what it had. Resolves when connections arrive. */
  set(podUid: string, podIp: string, ports: readonly HostPort[]): Promise<void>
  /** Succeeds for a pod that has none. */
  remove(podUid: string): Promise<void>
  /** Ends what an earlier run left for addresses that no pod of this node has any more. */
  retain(podIps: ReadonlySet<string>): Promise<void>
}
