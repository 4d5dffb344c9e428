/** The node's CNI configuration: point-to-point links (ptp), so that every packet of a pod is routed and seen by the node's nftables. */

export type CniOptions = {
  /** `10.244.1.0/24`: addresses of this node's pods. */
  readonly podCidr: string
  /** Where host-local remembers addresses; distinct per node, or two nodes share their files. */
  readonly ipamDir: string
  readonly mtu: number
}

/** Text of `10-kubets.conflist`. No portmap: host ports are the service proxy's. */
export function renderCniConfig(options: CniOptions): string {
  const ptp = {
    type: 'ptp',
    ipMasq: false,
    mtu: options.mtu,
    ipam: {
      type: 'host-local',
      dataDir: options.ipamDir,
      ranges: [[{ subnet: options.podCidr }]],
      routes: [{ dst: '0.0.0.0/0' }],
    },
  }
  return `${JSON.stringify({ cniVersion: '0.4.0', name: 'kubets', plugins: [ptp] }, null, 2)}\n`
}
