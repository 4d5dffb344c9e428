/** What a node agent (kubelet, proxy and DNS in one process) is told when it starts; a JSON file in the node's folder. */

export type NodeAgentConfig = {
  readonly nodeName: string
  readonly nodeIp: string
  /** The node's own folder: pod volumes, logs, manifests of static pods. */
  readonly folder: string
  readonly kubeconfig: string
  /** PEM files of the kubelet's HTTPS server. */
  readonly certificate: string
  readonly privateKey: string
  /** PEM file of the authority whose client certificates the kubelet trusts. */
  readonly clientCa: string
  readonly clusterDns: string
  readonly clusterDomain: string
  /** Addresses of all pods of the cluster. */
  readonly podNetwork: string
  readonly cniConfigDir: string
  /** Socket of the container runtime. */
  readonly runtimeEndpoint: string
  /** Nameservers outside the cluster, for pods with dnsPolicy Default and for names the cluster does not know. */
  readonly resolvConf: string
}
