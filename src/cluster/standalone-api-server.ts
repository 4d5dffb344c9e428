/** An API server with its store and nothing else, for tests and tools: any user, no containers, no controllers. */
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { KindDefinition } from '#api/kind.ts'
import type { Clock } from '#base/clock.ts'
import type { FeatureGates } from '#base/feature-gates.ts'
import type { Logger } from '#base/log.ts'
import type { RandomSource } from '#base/random.ts'
import { renderKubeconfig } from '#client/kubeconfig.ts'
import { createApiServer } from '#control-plane/apiserver/apiserver.ts'
import { createResources } from '#control-plane/apiserver/endpoints/resource-backend.ts'
import { openEmbeddedStore } from '#control-plane/store/embedded/embedded-store.ts'
import {
  loadOrCreateAuthority,
  loadOrCreateSigningKey,
  loadOrIssue,
  writeAtomically,
} from './certificates/certificate-files.ts'
import { frontProxyFlags, loadFrontProxy } from './certificates/front-proxy.ts'
import { ADMISSION, ClusterError, SERVICE_CIDR } from './cluster-state.ts'
import { flagTexts } from './kube-apiserver/flag-texts.ts'
import { isPortTaken } from './probe.ts'

export type StandaloneOptions = {
  /** 0 takes a free one. */
  readonly port: number
  readonly dataDir: string
  /** Written when the server answers; of a member of system:masters. */
  readonly kubeconfig: string
  readonly features: FeatureGates
  readonly kinds: readonly KindDefinition[]
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
}

export type StandaloneApiServer = { readonly url: string; close(): Promise<void> }

const ADDRESS = '127.0.0.1'
const NODE_PORTS = { from: 30_000, to: 32_767 }

/** Resolves when the server is ready and the kubeconfig is there; rejects, with all closed, when the signal aborts before. */
export async function startStandaloneApiServer(
  options: StandaloneOptions,
  signal?: AbortSignal,
): Promise<StandaloneApiServer> {
  const { port, clock, random, log } = options
  if (port !== 0 && (await isPortTaken(ADDRESS, port)))
    throw new ClusterError(`port ${port} is in use by another program: give another one with --port`)
  const pki = join(options.dataDir, 'pki')
  await mkdir(pki, { recursive: true, mode: 0o700 })
  const authority = await loadOrCreateAuthority(pki, 'ca', 'kubernetes', clock)
  const serving = await loadOrIssue(
    pki,
    'apiserver',
    authority,
    {
      commonName: 'kube-apiserver',
      hosts: [ADDRESS, 'localhost', '10.96.0.1', 'kubernetes.default.svc'],
      usages: ['server'],
    },
    clock,
  )
  const admin = await loadOrIssue(
    pki,
    'admin',
    authority,
    { commonName: 'kubernetes-admin', organizations: ['system:masters'], usages: ['client'] },
    clock,
  )
  const kubeletClient = await loadOrIssue(
    pki,
    'apiserver-kubelet-client',
    authority,
    { commonName: 'kube-apiserver-kubelet-client', organizations: ['system:masters'], usages: ['client'] },
    clock,
  )
  const signingKey = await loadOrCreateSigningKey(pki, 'sa')
  const requestHeader = await loadFrontProxy(pki, clock)
  const store = await openEmbeddedStore({ directory: join(options.dataDir, 'store'), clock, log })
  const opened: { close(): Promise<void> }[] = [store]
  const close = async (): Promise<void> => {
    for (const part of opened.toReversed()) await part.close()
  }
  try {
    const server = await createApiServer({
      store,
      kinds: options.kinds,
      createResources,
      features: options.features,
      clock,
      random,
      log,
      serving: { ...serving, address: ADDRESS, port },
      advertiseAddress: ADDRESS,
      clientCa: authority.certificate,
      settings: { requestHeader },
      serviceAccountKeys: { signingKey },
      serviceClusterIpRange: SERVICE_CIDR,
      nodePortRange: NODE_PORTS,
      flags: flagTexts({
        'authorization-mode': 'Node,RBAC',
        'bind-address': ADDRESS,
        'secure-port': String(port),
        'service-cluster-ip-range': SERVICE_CIDR,
        ...frontProxyFlags(pki),
      }),
      admission: ADMISSION,
      kubeletClient: { ...kubeletClient, certificateAuthority: authority.certificate },
    })
    opened.push(server)
    await server.ready(signal)
    const connection = {
      server: server.url,
      certificateAuthority: authority.certificate,
      clientCertificate: admin.certificate,
      clientKey: admin.privateKey,
    }
    const kubeconfig = renderKubeconfig(connection, { cluster: 'kubets-api', user: 'admin' })
    await writeAtomically(resolve(options.kubeconfig), kubeconfig, 0o600)
    return { url: server.url, close }
  } catch (error) {
    await close()
    throw error
  }
}
