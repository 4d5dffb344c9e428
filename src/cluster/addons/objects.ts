/** Objects that a cluster of ours has beside what every API server creates: the Service of the cluster DNS and what node agents may read. */
import type { Service } from '#api/core/v1.gen.ts'
import type { ClusterRole, ClusterRoleBinding } from '#api/rbac/v1.gen.ts'
import { CLUSTERROLEBINDINGS, CLUSTERROLES, SERVICES } from '#api/resources.gen.ts'
import type { ResourceRef } from '#api/resource-ref.ts'
import type { Client } from '#client/client.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import type { Draft } from '#machinery/meta/template.ts'
import { isNotFound } from '#machinery/status-error.ts'

const NODE_NETWORK_ROLE = 'kubets:node-network'

/**
 * DNS answers on every node. A query stays on its node while the server there is ready and goes to another node's when it is not; a
 * node without a DNS server of its own is served by the others.
 */
function dnsService(address: string): Draft<Service> {
  return {
    metadata: {
      name: 'kube-dns',
      namespace: 'kube-system',
      labels: {
        'k8s-app': 'kube-dns',
        'kubernetes.io/cluster-service': 'true',
        'kubernetes.io/name': 'CoreDNS',
      },
    },
    spec: {
      clusterIP: address,
      selector: { 'k8s-app': 'kube-dns' },
      trafficDistribution: 'PreferSameNode',
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
        { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
      ],
    },
  }
}

/** The service proxy and DNS of a node agent follow these; what the kubelet needs the node authorizer grants. */
const nodeNetworkRole: Draft<ClusterRole> = {
  metadata: { name: NODE_NETWORK_ROLE },
  rules: [
    { apiGroups: [''], resources: ['services', 'namespaces', 'nodes'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'watch'] },
  ],
}

const nodeNetworkBinding: Draft<ClusterRoleBinding> = {
  metadata: { name: NODE_NETWORK_ROLE },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: NODE_NETWORK_ROLE },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:nodes' }],
}

/** Creates what is missing; what an administrator changed stays. */
export async function createClusterObjects(client: Client, dnsAddress: string): Promise<void> {
  await createIfAbsent(client, CLUSTERROLES, nodeNetworkRole)
  await createIfAbsent(client, CLUSTERROLEBINDINGS, nodeNetworkBinding)
  await createIfAbsent(client, SERVICES, dnsService(dnsAddress))
}

/** Looked for first: an address that the existing Service holds would refuse a second one for a reason of its own. */
async function createIfAbsent<T extends KubernetesObject>(
  client: Client,
  resource: ResourceRef<T>,
  object: Draft<T>,
): Promise<void> {
  try {
    await client.get(resource, object.metadata.namespace ?? '', object.metadata.name!)
  } catch (error) {
    if (!isNotFound(error)) throw error
    await client.create(resource, object)
  }
}
