/** All certificates, keys and kubeconfigs of a cluster on this machine; made once, renewed before they end. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '#base/clock.ts'
import { renderKubeconfig } from '#client/kubeconfig.ts'
import type { Authority, KeyPair } from './certificates/authority.ts'
import {
  loadOrCreateAuthority,
  loadOrCreateSigningKey,
  loadOrIssue,
  writeAtomically,
} from './certificates/certificate-files.ts'
import {
  CLUSTER_DOMAIN,
  hostAddress,
  nodeAddress,
  nodeName,
  nodeNames,
  paths,
  type ClusterState,
} from './cluster-state.ts'

/** First address of the service network: the API server as pods see it. */
const API_SERVICE_ADDRESS = '10.96.0.1'

export async function writePki(state: ClusterState, clock: Clock): Promise<void> {
  const folder = paths.pki(state.dataDir)
  const authority = await loadOrCreateAuthority(folder, 'ca', 'kubernetes', clock)
  await Promise.all([loadOrCreateSigningKey(folder, 'sa'), writeCertificates(state, authority, clock)])
}

async function writeCertificates(state: ClusterState, authority: Authority, clock: Clock): Promise<void> {
  const folder = paths.pki(state.dataDir)
  await loadOrIssue(
    folder,
    'apiserver',
    authority,
    { commonName: 'kube-apiserver', hosts: servingHosts(state), usages: ['server'] },
    clock,
  )
  const kubeletClient = {
    commonName: 'kube-apiserver-kubelet-client',
    organizations: ['system:masters'],
    usages: ['client'],
  } as const
  await loadOrIssue(folder, 'apiserver-kubelet-client', authority, kubeletClient, clock)
  const admin = await loadOrIssue(
    folder,
    'admin',
    authority,
    { commonName: 'kubernetes-admin', organizations: ['system:masters'], usages: ['client'] },
    clock,
  )
  await writeKubeconfig(paths.kubeconfig(state.dataDir), `https://127.0.0.1:${state.port}`, authority, admin, {
    cluster: state.name,
    user: 'admin',
  })
  await Promise.all(nodeNames(state).map((_, position) => writeNodePki(state, authority, position + 1, clock)))
}

function servingHosts(state: ClusterState): string[] {
  const service = 'kubernetes.default.svc'
  return [
    '127.0.0.1',
    'localhost',
    hostAddress(state),
    API_SERVICE_ADDRESS,
    'kubernetes',
    'kubernetes.default',
    service,
    `${service}.${CLUSTER_DOMAIN}`,
  ]
}

/** The kubelet's server certificate, and the kubeconfig with which the node talks to the API server. */
async function writeNodePki(state: ClusterState, authority: Authority, number: number, clock: Clock): Promise<void> {
  const name = nodeName(number)
  const folder = paths.node(state.dataDir, name)
  const identity = { commonName: `system:node:${name}`, organizations: ['system:nodes'] }
  const hosts = [name, nodeAddress(state, number)]
  await loadOrIssue(folder, 'kubelet', authority, { ...identity, hosts, usages: ['server'] }, clock)
  const client = await loadOrIssue(folder, 'kubelet-client', authority, { ...identity, usages: ['client'] }, clock)
  const server = `https://${hostAddress(state)}:${state.port}`
  await writeKubeconfig(join(folder, 'kubeconfig'), server, authority, client, { cluster: state.name, user: name })
}

/** Rewritten only when it changes: people copy and watch these files. */
async function writeKubeconfig(
  path: string,
  server: string,
  authority: Authority,
  client: KeyPair,
  names: { cluster: string; user: string },
): Promise<void> {
  const connection = {
    server,
    certificateAuthority: authority.certificate,
    clientCertificate: client.certificate,
    clientKey: client.privateKey,
  }
  const text = renderKubeconfig(connection, names)
  if (existsSync(path) && (await readFile(path, 'utf8')) === text) return
  await writeAtomically(path, text, 0o600)
}
