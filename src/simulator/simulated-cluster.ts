/** A whole cluster in one process on a virtual clock: real control plane, simulated nodes, every choice from one seed. */
import { NO_LOG, type Logger } from '#base/log.ts'
import { SeededRandom } from '#base/random.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { Client } from '#client/client.ts'
import { InProcessTransport } from '#client/in-process-transport.ts'
import { RestClient } from '#client/rest-client.ts'
import type { UserInfo } from '#control-plane/apiserver/request.ts'
import { createMemoryStore } from '#control-plane/store/memory/memory-store.ts'
import type { Store } from '#control-plane/store/store.ts'
import { FaultTransport, NO_FAULTS, type Faults } from './fault-transport.ts'
import { Invariants } from './invariants.ts'
import { SimulatedApiServer } from './simulated-api-server.ts'
import { SimulatedComponent, type ComponentName } from './simulated-component.ts'
import { SimulatedNodes } from './simulated-nodes.ts'
import { WriteLog, type Write } from './write-log.ts'

export type SimulatedClusterOptions = {
  readonly seed: number
  /** How many nodes: `node-1`, `node-2` and so on. */
  readonly nodes: number
  readonly faults?: Faults
  /** Which controllers run, as `--controllers` takes them; all when absent. */
  readonly controllers?: readonly string[]
  readonly log?: Logger
}

const START_MS_MAX = 60_000
const STEP_MS = 50

export class SimulatedCluster {
  readonly clock = new VirtualClock()
  /** Of a member of system:masters, without faults. Its calls need `perform` only where they wait for time to pass. */
  readonly client: Client
  readonly nodeNames: readonly string[]
  readonly #options: SimulatedClusterOptions
  readonly #log: Logger
  readonly #store: Store
  readonly #writeLog: WriteLog
  readonly #invariants: Invariants
  readonly #apiServer: SimulatedApiServer
  readonly #components: Readonly<Record<ComponentName, SimulatedComponent>>
  readonly #nodes: SimulatedNodes
  readonly #transports = new Set<FaultTransport>()
  readonly #closing = new AbortController()
  #faults: Faults

  constructor(options: SimulatedClusterOptions) {
    this.#options = options
    this.#faults = options.faults ?? NO_FAULTS
    this.#log = options.log ?? NO_LOG
    this.nodeNames = Array.from({ length: options.nodes }, (_, index) => `node-${index + 1}`)
    const { clock } = this
    const log = this.#log
    const now = (): number => clock.now()
    this.#invariants = new Invariants(now)
    this.#store = createMemoryStore({ clock })
    this.#writeLog = new WriteLog({ store: this.#store, now, onWrite: (event) => this.#invariants.observe(event) })
    this.#apiServer = new SimulatedApiServer({ store: this.#store, clock, log, random: this.#randomOf('apiserver') })
    this.client = new RestClient(new InProcessTransport(this.#apiServer.inProcess(ADMIN), 'kubectl'))
    const randomOf = (name: string): SeededRandom => this.#randomOf(name)
    const connect = (user: UserInfo, component: string): FaultTransport => this.#connect(user, component)
    const parts = { clock, log, randomOf, connect, controllers: options.controllers ?? ['*'] }
    this.#components = {
      controllers: new SimulatedComponent('controllers', parts),
      scheduler: new SimulatedComponent('scheduler', parts),
    }
    this.#nodes = new SimulatedNodes(
      {
        names: this.nodeNames,
        client: new RestClient(connect(KUBELETS, 'kubelet')),
        clientOf: (name) => new RestClient(connect(nodeUser(name), 'kubelet')),
        clock,
        randomOf,
        log,
        onPodStarted: (uid, node) => this.#invariants.podStarted(uid, node),
        onPodStopped: (uid) => this.#invariants.podStopped(uid),
      },
      this.#closing.signal,
    )
  }

  /** Waits for the API server, then starts everything else. */
  async start(): Promise<void> {
    let isReady = false
    const isServerReady = async (): Promise<void> => {
      isReady = await this.#apiServer.isReady()
    }
    for (let passed = 0; !isReady; passed += STEP_MS) {
      if (passed > START_MS_MAX) throw new Error('the simulated API server does not get ready')
      await this.run(STEP_MS)
      await isServerReady()
    }
    for (const component of Object.values(this.#components)) component.start()
    for (const name of this.nodeNames) this.#nodes.start(name)
  }

  /** Lets this much virtual time pass; throws when an invariant broke on the way. */
  async run(durationMs: number): Promise<void> {
    await this.clock.advance(durationMs)
    this.checkInvariants()
  }

  /** Lets time pass until the condition holds; throws when it does not in time. */
  async runUntil(what: string, condition: () => boolean | Promise<boolean>, limitMs: number): Promise<void> {
    const endMs = this.clock.now() + limitMs
    while (!(await this.perform(Promise.resolve(condition())))) {
      if (this.clock.now() >= endMs) throw new Error(`not reached in ${limitMs / 1000} s of virtual time: ${what}`)
      await this.run(1000)
    }
  }

  /** Lets time pass until this work is done. */
  async perform<T>(work: Promise<T>): Promise<T> {
    let isDone = false
    const done = (): void => {
      isDone = true
    }
    work.then(done, done)
    while (!(await this.clock.advanceUntil(() => isDone, STEP_MS, STEP_MS))) this.checkInvariants()
    return work
  }

  checkInvariants(): void {
    if (this.#invariants.violations.length > 0)
      throw new Error(`seed ${this.#options.seed}: ${this.#invariants.violations.join('\n')}`)
  }

  crashNode(name: string): void {
    this.#nodes.crash(name)
  }

  restartNode(name: string): void {
    this.#nodes.start(name)
  }

  isNodeUp(name: string): boolean {
    return this.#nodes.isUp(name)
  }

  crashComponent(name: ComponentName): void {
    this.#components[name].crash()
  }

  /** With fresh caches: nothing survives but what is in the store. */
  restartComponent(name: ComponentName): void {
    this.#components[name].start()
  }

  /** Every open watch of every component and node is lost, each in its own way. */
  loseWatches(): void {
    for (const transport of this.#transports) transport.loseWatches()
  }

  setFaults(faults: Faults): void {
    this.#faults = faults
  }

  /** Forgets the store's history, so that watches from before have to list again. */
  async compact(): Promise<void> {
    const revision = await this.#store.currentRevision()
    if (revision > this.#store.compactedRevision()) await this.#store.compact(revision)
  }

  writes(): readonly Write[] {
    return this.#writeLog.writes()
  }

  writesHash(): string {
    return this.#writeLog.hash()
  }

  async close(): Promise<void> {
    for (const component of Object.values(this.#components)) if (component.isUp) component.crash()
    for (const name of this.nodeNames) if (this.isNodeUp(name)) this.#nodes.crash(name)
    this.#closing.abort(new Error('the simulation is over'))
    for (const transport of this.#transports) await transport.close()
    this.#writeLog.close()
    await this.#apiServer.crash()
    await this.#store.close()
    await this.clock.advance(0)
  }

  #connect(user: UserInfo, component: string): FaultTransport {
    const transport = new FaultTransport({
      transport: new InProcessTransport(this.#apiServer.inProcess(user), component),
      clock: this.clock,
      random: this.#randomOf(`network-${user.name}-${this.#transports.size}`),
      faults: () => this.#faults,
    })
    this.#transports.add(transport)
    return transport
  }

  /** Each part draws from a source of its own: what one does more does not change the choices of another. */
  #randomOf(name: string): SeededRandom {
    let seed = this.#options.seed
    for (const char of name) seed = (Math.imul(seed, 31) + char.codePointAt(0)!) >>> 0
    return new SeededRandom(seed)
  }
}

const ADMIN = userOf('kubernetes-admin', 'system:masters')
/** Reads pods for all nodes; each node writes as itself. */
const KUBELETS = userOf('simulated-kubelets', 'system:masters')

function nodeUser(name: string): UserInfo {
  return userOf(`system:node:${name}`, 'system:nodes')
}

function userOf(name: string, group: string): UserInfo {
  return { name, uid: '', groups: [group, 'system:authenticated'], extra: {} }
}

/** A cluster that has started: its nodes register in the next seconds of virtual time. */
export async function createSimulatedCluster(options: SimulatedClusterOptions): Promise<SimulatedCluster> {
  const cluster = new SimulatedCluster(options)
  await cluster.start()
  return cluster
}
