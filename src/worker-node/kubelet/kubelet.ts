/** The kubelet: registers its node, runs the pods bound to it, and tells the API server what became of them. */
import { mkdir, readFile } from 'node:fs/promises'
import type { Node, NodeStatus, Pod } from '#api/core/v1.gen.ts'
import { PODS } from '#api/resources.gen.ts'
import { isConflict, isNotFound } from '#machinery/status-error.ts'
import { admitPod } from './admission.ts'
import { NO_CGROUPS } from './cgroups/no-cgroups.ts'
import { KUBEPODS } from './cgroups/pod-cgroups.ts'
import { cpuShares } from './containers/resources.ts'
import { parseResolvConf, type DnsSettings } from './containers/dns.ts'
import type { HostedContainers } from './hosted-pods/hosted-containers.ts'
import { makeHostedContainers } from './hosted-pods/make-hosted-containers.ts'
import { withHostedPods } from './hosted-pods/hosted-runtime.ts'
import { Housekeeping } from './housekeeping.ts'
import { ImageManager } from './images/image-manager.ts'
import { DEFAULT_LIMITS, DEFAULT_PODS_MAX } from './kubelet-limits.ts'
import type { Kubelet, KubeletLimits, KubeletOptions } from './kubelet-options.ts'
import { NodeSources } from './node-sources.ts'
import { readMachineFacts, type MachineFacts } from './node/machine-facts.ts'
import { NodeLease } from './node/node-lease.ts'
import {
  ALLOCATABLE_ENFORCED,
  allocatableFailure,
  nodeReference,
  STARTING,
  type NodeEvent,
} from './node/node-events.ts'
import { NodeReporter } from './node/node-reporter.ts'
import { nodeStatusOf } from './node/node-status.ts'
import { cleanUpOrphans } from './orphan-cleanup.ts'
import type { Verdict } from './pods/pod-memory.ts'
import { recordPodEvent } from './pod-events.ts'
import { PodWorkers } from './pod-workers.ts'
import { ProbeManager } from './probes/probe-manager.ts'
import { KubeletServer } from './server/kubelet-server.ts'
import { AllocationStore } from './resize/allocation-store.ts'
import { RuntimeHealth } from './runtime-health.ts'
import { RuntimeWatcher } from './runtime-watcher.ts'
import type { RuntimeVersion } from './runtime/runtime-service.ts'
import { Semaphore } from './semaphore.ts'
import { ResourceWatch } from './sources/resource-watch.ts'
import { StaticPods } from './static-pods/static-pods.ts'
import { isMirrorPod, isStaticPod } from './pods/pod-facts.ts'
import { StatusManager } from './status-manager.ts'
import { TokenManager } from './volumes/token-manager.ts'
import { VolumeManager } from './volumes/volume-manager.ts'

/** The version of Kubernetes whose API this kubelet speaks. */
export const KUBELET_VERSION = 'v1.37.2'

const RUNTIME_RETRY_MS = 100
/** A pod that takes more than the node can give is not asked how long it needs. */
const EVICTION_GRACE_SECONDS = 1

export function createKubelet(options: KubeletOptions): Kubelet {
  return new NodeKubelet(options)
}

class NodeKubelet implements Kubelet {
  readonly #options: KubeletOptions
  readonly #limits: KubeletLimits
  readonly #sources: NodeSources
  readonly #allocations: AllocationStore
  readonly #actuated: AllocationStore
  readonly #statuses: StatusManager
  readonly #images: ImageManager
  readonly #probes: ProbeManager
  readonly #volumes: VolumeManager
  readonly #health: RuntimeHealth
  readonly #watcher: RuntimeWatcher
  readonly #reporter: NodeReporter
  readonly #lease: NodeLease
  readonly #podWatch: ResourceWatch<Pod>
  readonly #staticPods: StaticPods | null
  readonly #housekeeping: Housekeeping
  readonly #hosted: HostedContainers | null
  readonly #podsSynced = Promise.withResolvers<void>()
  readonly #stop = new AbortController()
  #workers: PodWorkers | null = null
  #machine: MachineFacts | null = null
  #runtimeVersion: RuntimeVersion | null = null
  #server: KubeletServer | null = null
  #hostDns: DnsSettings = { servers: [], searches: [], options: [] }
  port: number | null = null

  constructor(options: KubeletOptions) {
    this.#hosted = makeHostedContainers(options, (podUid) => this.#workers?.wake(podUid))
    this.#options = this.#hosted ? { ...options, runtime: withHostedPods(options.runtime, this.#hosted) } : options
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits }
    const { client, clock, random, log, runtime, rootDir, mounter, nodeName } = this.#options
    const userAgent = `kube-probe/${(options.version ?? KUBELET_VERSION).replace(/^v(\d+\.\d+).*/, '$1')}`
    this.#sources = new NodeSources({
      client,
      clock,
      random,
      log,
      nodeName,
      onNode: (node) => this.#observeNode(node),
      onReferenceChange: (podUids) => podUids.forEach((podUid) => this.#workers?.wake(podUid)),
    })
    this.#allocations = new AllocationStore(rootDir, 'allocated_pods_state', log)
    this.#actuated = new AllocationStore(rootDir, 'actuated_pods_state', log)
    this.#statuses = new StatusManager({
      client,
      clock,
      log,
      apiPodOf: (pod) => (isStaticPod(pod) ? (this.#staticPods?.mirrorOf(pod) ?? null) : pod),
    })
    this.#images = new ImageManager({ runtime, clock, pullsMax: this.#limits.imagePullsMax })
    this.#probes = new ProbeManager({
      runtime,
      clock,
      userAgent,
      event: (pod, container, reason, message) =>
        recordPodEvent(options.events, { pod, container }, 'Warning', { reason, message }),
      onTurn: (podUid) => this.#workers?.wake(podUid),
    })
    const tokens = new TokenManager({ client, clock, random })
    this.#volumes = new VolumeManager({ rootDir, mounter, clock, tokens, sources: this.#sources })
    this.#health = new RuntimeHealth({ runtime, clock, onChange: () => this.#onHealthChange() })
    this.#watcher = new RuntimeWatcher({
      runtime,
      clock,
      log,
      onPodChange: (podUid) => this.#workers?.wake(podUid),
      onRelist: (podUids) => this.#onRelist(podUids),
    })
    this.#reporter = new NodeReporter({
      client,
      clock,
      log,
      nodeName,
      labels: { ...this.#ownLabels(), ...options.nodeLabels },
      taints: options.registerWithTaints ?? [],
      providerId: options.providerId,
      event: (node, event) => this.#recordNodeEvent(node, event),
      compute: (before) => this.#computeNodeStatus(before),
    })
    this.#lease = new NodeLease({ client, clock, log, nodeName, node: () => this.#sources.node() })
    this.#podWatch = new ResourceWatch<Pod>({
      client,
      clock,
      random,
      log,
      resource: PODS,
      namespace: '',
      fieldSelector: `spec.nodeName=${nodeName}`,
      onChange: (key, pod) => this.#observePod(key, pod),
      onSynced: () => this.#podsSynced.resolve(),
    })
    this.#staticPods = this.#makeStaticPods()
    this.#housekeeping = this.#makeHousekeeping()
  }

  #makeStaticPods(): StaticPods | null {
    const { staticPodDir: folder, hostedPods = [], nodeName, client, clock, log } = this.#options
    if (folder === undefined && hostedPods.length === 0) return null
    return new StaticPods({
      folder,
      builtIn: hostedPods.map(({ manifest }) => manifest),
      nodeName,
      client,
      clock,
      log,
      node: () => this.#sources.node(),
      onAdded: (pod) => this.#workers?.set(pod),
      onRemoved: (podUid) => this.#workers?.remove(podUid),
      onMirror: (pod, mirror) => this.#statuses.observe(pod, mirror),
    })
  }

  #makeHousekeeping(): Housekeeping {
    const { runtime, cgroups, clock, log, rootDir, podLogsDir } = this.#options
    return new Housekeeping({
      runtime,
      cgroups,
      clock,
      log,
      rootDir,
      podLogsDir,
      limits: this.#limits,
      lastUsedMs: this.#images.lastUsedMs,
      activePods: () => this.#workers?.activePods() ?? [],
      evict: (pod, verdict) => this.#evict(pod, verdict),
      onInvalidDisk: (message) => {
        const node = this.#sources.node()
        if (node) this.#recordNodeEvent(node, { type: 'Warning', reason: 'InvalidDiskCapacity', message })
      },
      onPressure: () => this.#reporter.report(),
    })
  }

  #evict(pod: Pod, verdict: Verdict): void {
    if (this.#workers?.evict(pod.metadata.uid, verdict, EVICTION_GRACE_SECONDS))
      recordPodEvent(this.#options.events, { pod }, 'Warning', verdict)
  }

  async start(): Promise<void> {
    const { rootDir, podLogsDir, resolvConf, nodeName } = this.#options
    await Promise.all([mkdir(rootDir, { recursive: true }), mkdir(podLogsDir, { recursive: true })])
    await this.#hosted?.start()
    this.#machine = await readMachineFacts(rootDir, nodeName)
    if (resolvConf !== '') this.#hostDns = parseResolvConf(await readFile(resolvConf, 'utf8'))
    await Promise.all([this.#allocations.load(), this.#actuated.load()])
    this.#runtimeVersion = await this.#waitForRuntime()
    this.#workers = new PodWorkers({
      context: this.#workerContext(),
      allocations: this.#allocations,
      allocatable: () => this.#allocatable(),
      admit: (pod, others) => admitPod(pod, { allocatable: this.#allocatable(), others }),
      onPod: (pod) => this.#sources.usePod(pod),
      onForgotten: (podUid) => {
        this.#sources.forgetPod(podUid)
        this.#actuated.delete(podUid)
      },
    })
    await this.#health.start()
    this.#sources.start()
    await this.#startServer()
    const node = await this.#reporter.register()
    this.#recordNodeEvent(node, STARTING)
    await this.#enforceAllocatable(node)
    this.#reporter.announce(node)
    this.#lease.start()
    this.#reporter.report()
    await this.#sources.servicesSynced()
    await this.#staticPods?.start()
    this.#podWatch.start()
    await this.#podsSynced.promise
    this.#workers.beginResizes()
    this.#watcher.start()
    this.#housekeeping.start()
    await this.#cleanUp()
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('kubelet stopped'))
    this.#server?.stop()
    this.#staticPods?.stop()
    this.#housekeeping.stop()
    this.#podWatch.stop()
    this.#watcher.stop()
    this.#health.stop()
    this.#lease.stop()
    this.#reporter.stop()
    await this.#workers?.stop()
    await this.#hosted?.stop()
    this.#probes.stop()
    this.#statuses.stop()
    await Promise.all([this.#allocations.flush(), this.#actuated.flush()])
    this.#sources.stop()
  }

  pods(): Pod[] {
    return (this.#workers?.pods() ?? []).map((pod) => {
      const status = this.#statuses.get(pod.metadata.uid)
      return status ? { ...pod, status } : pod
    })
  }

  async #waitForRuntime(): Promise<RuntimeVersion> {
    const { runtime, clock, log } = this.#options
    for (let attempt = 0; ; attempt++) {
      try {
        return await runtime.version()
      } catch (error) {
        this.#stop.signal.throwIfAborted()
        if (attempt === 0) log.info('waiting for the container runtime', { error: String(error) })
        await clock.sleep(RUNTIME_RETRY_MS, this.#stop.signal)
      }
    }
  }

  async #startServer(): Promise<void> {
    const { server, client, nodeName, runtime, cgroups, clock, log, podLogsDir, rootDir } = this.#options
    if (!server) return
    const context = { nodeName, runtime, cgroups, clock, log, podLogsDir, rootDir, pods: () => this.pods() }
    this.#server = new KubeletServer(context, client, server)
    this.port = await this.#server.start()
  }

  #workerContext(): ConstructorParameters<typeof PodWorkers>[0]['context'] {
    const { runtime, clock, log, cgroups, rootDir, podLogsDir, events, nodeName, hostPorts } = this.#options
    return {
      ...(hostPorts && { hostPorts }),
      runtime,
      clock,
      log,
      cgroups,
      allocations: this.#allocations,
      actuated: this.#actuated,
      rootDir,
      podLogsDir,
      runtimeName: this.#runtimeVersion!.name,
      volumes: this.#volumes,
      images: this.#images,
      probes: this.#probes,
      statuses: this.#statuses,
      startSlots: new Semaphore(this.#limits.podStartsMax),
      execsPerPodMax: this.#limits.execsPerPodMax,
      userAgent: `kube-lifecycle/${KUBELET_VERSION.slice(1)}`,
      memoryCapacity: this.#machine!.memoryBytes,
      hostIps: this.#hostIps(),
      facts: (podIps) => ({ nodeName, hostIps: this.#hostIps(), podIps, allocatable: this.#allocatable() }),
      dns: () => ({
        clusterDns: this.#options.clusterDns,
        clusterDomain: this.#options.clusterDomain,
        host: this.#hostDns,
      }),
      sources: {
        services: () => this.#sources.services(),
        configMap: (namespace, name) => this.#sources.configMap(namespace, name),
        secret: (namespace, name) => this.#sources.secret(namespace, name),
      },
      pullSecrets: (pod) => this.#sources.pullSecrets(pod),
      networkProblem: () => this.#health.networkProblem,
      event: (pod, type, reason, message, container) =>
        recordPodEvent(events, { pod, ...(container && { container }) }, type, { reason, message }),
      deletePod: (pod) => this.#deletePod(pod),
    }
  }

  #hostIps(): string[] {
    return this.#options.addresses.filter(({ type }) => type === 'InternalIP').map(({ address }) => address)
  }

  #allocatable(): Record<string, string> {
    return this.#sources.node()?.status?.allocatable ?? {}
  }

  #ownLabels(): Record<string, string> {
    const arch = process.arch === 'x64' ? 'amd64' : process.arch
    return {
      'kubernetes.io/hostname': this.#options.nodeName,
      'kubernetes.io/os': 'linux',
      'kubernetes.io/arch': arch,
      'beta.kubernetes.io/os': 'linux',
      'beta.kubernetes.io/arch': arch,
    }
  }

  async #computeNodeStatus(before: NodeStatus): Promise<NodeStatus> {
    const { addresses, runtime, clock, maxPods, version } = this.#options
    return nodeStatusOf({
      machine: this.#machine!,
      runtime: this.#runtimeVersion!,
      addresses,
      maxPods: maxPods ?? DEFAULT_PODS_MAX,
      version: version ?? KUBELET_VERSION,
      port: this.port,
      images: await runtime.listImages().catch(() => []), // A runtime that is down has its own condition.
      pressures: { ...this.#housekeeping.pressure, pid: false },
      problem: this.#health.problem,
      before,
      nowMs: clock.now(),
    })
  }

  /** All pods together get what the machine has and no more; they compete with what else runs here by weight. */
  async #enforceAllocatable(node: Node): Promise<void> {
    const { cgroups, log } = this.#options
    const { cpus, memoryBytes } = this.#machine!
    if (cgroups === NO_CGROUPS) return
    try {
      await cgroups.apply(KUBEPODS, { cpuShares: cpuShares(cpus * 1000), memoryLimitBytes: memoryBytes })
      this.#recordNodeEvent(node, ALLOCATABLE_ENFORCED)
    } catch (error) {
      log.warn('the limit of all pods could not be set', { error: String(error) })
      this.#recordNodeEvent(node, allocatableFailure(error as Error))
    }
  }

  #recordNodeEvent(node: Node, { type, reason, message }: NodeEvent): void {
    this.#options.events.event(nodeReference(node), type, reason, message)
  }

  #observeNode(node: Node): void {
    this.#reporter.observe(node)
  }

  #observePod(key: string, pod: Pod | null): void {
    if (pod ? isMirrorPod(pod) : this.#staticPods?.hasMirror(key)) {
      this.#staticPods?.observeMirror(key, pod)
      return
    }
    if (pod) {
      this.#workers?.set(pod)
      return
    }
    for (const known of this.#workers?.pods() ?? []) {
      const { namespace, name, uid } = known.metadata
      if (`${namespace}/${name}` === key && this.#podWatch.get(key)?.metadata.uid !== uid) this.#workers?.remove(uid)
    }
  }

  #onHealthChange(): void {
    this.#reporter.report()
    if (this.#health.problem === null) this.#workers?.wakeAll()
  }

  #onRelist(podUids: ReadonlySet<string>): void {
    if ([...podUids].some((podUid) => !this.#workers?.has(podUid))) void this.#cleanUp()
  }

  async #cleanUp(): Promise<void> {
    const { runtime, cgroups, podLogsDir, log, hostPorts } = this.#options
    const isKnown = (podUid: string): boolean => this.#workers?.has(podUid) ?? true
    await cleanUpOrphans({ runtime, volumes: this.#volumes, cgroups, podLogsDir, log, isKnown }).catch(
      (error: unknown) => log.warn('could not look for left-over pods', { error: String(error) }),
    )
    this.#allocations.retain(isKnown)
    this.#actuated.retain(isKnown)
    const podIps = (this.#workers?.activePods() ?? []).map(({ status }) => status?.podIP ?? '')
    await hostPorts
      ?.retain(new Set(podIps))
      .catch((error: unknown) => log.warn('left-over host ports could not be removed', { error: String(error) }))
  }

  /** The last step of a deletion; the uid keeps a new pod of the same name safe. */
  async #deletePod({ metadata: { namespace = 'default', name, uid } }: Pod): Promise<void> {
    try {
      const options = { gracePeriodSeconds: 0, preconditions: { uid } }
      await this.#options.client.delete(PODS, namespace, name, options, this.#stop.signal)
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error
    }
  }
}
