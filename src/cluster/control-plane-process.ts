/** The control plane of a cluster on this machine: API server with its store, controllers, scheduler and image registry in one process. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SystemClock, type Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import { createLogger } from '#base/pino-log.ts'
import { SystemRandom, type RandomSource } from '#base/random.ts'
import { ApiEventRecorder } from '#client/api-event-recorder.ts'
import type { Client } from '#client/client.ts'
import { SharedInformerFactory } from '#client/informer-factory.ts'
import { createApiServer, type ApiServer } from '#control-plane/apiserver/apiserver.ts'
import { createResources } from '#control-plane/apiserver/endpoints/resource-backend.ts'
import type { UserInfo } from '#control-plane/apiserver/request.ts'
import { runControllers } from '#control-plane/controllers/controller-manager.ts'
import { Scheduler } from '#control-plane/scheduler/scheduler.ts'
import { openEmbeddedStore } from '#control-plane/store/embedded/embedded-store.ts'
import { createClusterObjects } from './addons/objects.ts'
import { signAllWith } from './certificate-signer.ts'
import {
  CLUSTER_DNS,
  REGISTRY_PORT,
  ADMISSION,
  SERVICE_CIDR,
  hostAddress,
  parseState,
  paths,
  type ClusterState,
} from './cluster-state.ts'
import { frontProxyFlags, loadFrontProxy } from './certificates/front-proxy.ts'
import { flagTexts } from './kube-apiserver/flag-texts.ts'
import { readFeatureGates } from './feature-gates-flag.ts'
import { readRuntimeConfig } from './runtime-config-flag.ts'
import { warnOfKindsNotActedOn } from './not-acted-on.ts'
import { followPodRoutes } from './host-routes.ts'
import { ImageStore } from './images/image-store.ts'
import { createRegistry } from './images/registry.ts'
import { createServiceAccountSigner } from './service-account-signer.ts'

const NODE_PORTS = { from: 30_000, to: 32_767 }

/** What runs in this process beside the API server, as ComponentStatus names it; one that fails ends the process. */
const COMPONENTS = ['controller-manager', 'scheduler'] as const

type Parts = { readonly clock: Clock; readonly random: RandomSource; readonly log: Logger }

/** Runs until `signal` aborts; then everything acknowledged is on disk. */
export async function runControlPlane(statePath: string, signal: AbortSignal): Promise<void> {
  const state = parseState(await readFile(statePath, 'utf8'), join(statePath, '..'))
  const parts: Parts = { clock: new SystemClock(), random: new SystemRandom(), log: createLogger('control-plane') }
  const { clock, log } = parts
  const store = await openEmbeddedStore({
    directory: paths.store(state.dataDir),
    clock,
    log: log.child({ part: 'store' }),
  })
  const registry = createRegistry(new ImageStore(paths.images(state.dataDir)), log.child({ part: 'registry' }))
  registry.listen(REGISTRY_PORT, hostAddress(state))
  const started = new Set<string>()
  const server = await startApiServer(state, store, parts, started)
  await server.ready(signal)
  log.info('API server ready', { url: server.url })
  const admin = server.client(component('admin', ['system:masters']), 'kubets')
  await createClusterObjects(admin, CLUSTER_DNS)
  followPodRoutes(admin, parts, signal)
  await Promise.all([
    startControllers(state, server, parts, { signal, synced: () => started.add('controller-manager') }),
    startScheduler(server, parts, { signal, synced: () => started.add('scheduler') }),
  ])
  registry.close()
  await server.close()
  await store.close()
}

async function startApiServer(
  state: ClusterState,
  store: Awaited<ReturnType<typeof openEmbeddedStore>>,
  { clock, random, log }: Parts,
  started: ReadonlySet<string>,
): Promise<ApiServer> {
  const pki = paths.pki(state.dataDir)
  const read = (file: string): Promise<string> => readFile(join(pki, file), 'utf8')
  const [ca, certificate, privateKey, kubeletCertificate, kubeletKey, signingKey] = await Promise.all(
    [
      'ca.crt',
      'apiserver.crt',
      'apiserver.key',
      'apiserver-kubelet-client.crt',
      'apiserver-kubelet-client.key',
      'sa.key',
    ].map(read),
  )
  const features = readFeatureGates(state.featureGates, log)
  return createApiServer({
    store,
    kinds: warnOfKindsNotActedOn(readRuntimeConfig(state.runtimeConfig, features)),
    features,
    createResources,
    clock,
    random,
    log: log.child({ part: 'apiserver' }),
    serving: { certificate: certificate!, privateKey: privateKey!, address: '0.0.0.0', port: state.port },
    advertiseAddress: hostAddress(state),
    clientCa: ca!,
    settings: { requestHeader: await loadFrontProxy(pki, clock) },
    serviceAccountKeys: { signingKey: signingKey! },
    serviceClusterIpRange: SERVICE_CIDR,
    nodePortRange: NODE_PORTS,
    flags: flagTexts({
      'advertise-address': hostAddress(state),
      'authorization-mode': 'Node,RBAC',
      'secure-port': String(state.port),
      'service-cluster-ip-range': SERVICE_CIDR,
      ...frontProxyFlags(pki),
    }),
    admission: ADMISSION,
    componentChecks: Object.fromEntries(COMPONENTS.map((name) => [name, startedCheck(name, started)])),
    kubeletClient: { certificate: kubeletCertificate!, privateKey: kubeletKey!, certificateAuthority: ca! },
  })
}

type ComponentLife = {
  readonly signal: AbortSignal
  /** Called when the component knows the cluster and works. */
  readonly synced: () => void
}

function startedCheck(name: string, started: ReadonlySet<string>): () => Promise<void> {
  return async () => {
    if (!started.has(name)) throw new Error('not started')
  }
}

function component(name: string, groups: readonly string[] = []): UserInfo {
  return { name, uid: '', groups: [...groups, 'system:authenticated'], extra: {} }
}

/** Upstream waits for other API servers; here there is one, in this process. */
const NAMESPACE_DELETION_GRACE_MS = 200

async function startControllers(
  state: ClusterState,
  server: ApiServer,
  parts: Parts,
  { signal, synced }: ComponentLife,
): Promise<void> {
  const { clock, random } = parts
  const log = parts.log.child({ part: 'controllers' })
  const client = server.client(
    component('system:kube-controller-manager', ['system:masters']),
    'kube-controller-manager',
  )
  const informers = new SharedInformerFactory({ client, clock, random, log })
  const pki = paths.pki(state.dataDir)
  const read = (file: string): Promise<string> => readFile(join(pki, file), 'utf8')
  const [rootCa, caKey, signingKey] = await Promise.all(['ca.crt', 'ca.key', 'sa.key'].map(read))
  const events = recorder(client, parts, 'kube-controller-manager')
  const running = runControllers({
    client,
    informers,
    clock,
    random,
    log,
    events,
    signal,
    options: {
      clusterCidr: state.podCidr,
      rootCa: rootCa!,
      namespaceDeletionGraceMs: NAMESPACE_DELETION_GRACE_MS,
      serviceAccountSigner: createServiceAccountSigner(signingKey!),
      certificateSigning: signAllWith({ certificate: rootCa!, privateKey: caKey! }),
    },
  })
  void informers.synced().then(synced)
  await running
}

async function startScheduler(server: ApiServer, parts: Parts, { signal, synced }: ComponentLife): Promise<void> {
  const { clock, random } = parts
  const log = parts.log.child({ part: 'scheduler' })
  const client = server.client(component('system:kube-scheduler'), 'kube-scheduler')
  const informers = new SharedInformerFactory({ client, clock, random, log })
  const scheduler = new Scheduler({
    client,
    informers,
    clock,
    random,
    log,
    events: recorder(client, parts, 'default-scheduler'),
  })
  const running = scheduler.run(signal)
  informers.start(signal)
  void informers.synced().then(synced)
  await running
}

function recorder(client: Client, { clock, random, log }: Parts, name: string): ApiEventRecorder {
  return new ApiEventRecorder({ client, clock, random, log, component: name, host: '' })
}
