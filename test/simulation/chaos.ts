/** Random mischief from a seed: everything that can happen to a cluster, in any order, at any moment. */
import { PODS } from '#api/resources.gen.ts'
import { SeededRandom } from '#base/random.ts'
import { isNotFound } from '#machinery/status-error.ts'
import { drain, setUnschedulable } from '#simulator/drain.ts'
import { createSimulatedCluster, type SimulatedCluster } from '#simulator/simulated-cluster.ts'
import type { Write } from '#simulator/write-log.ts'
import { MINUTE_MS, converges, createDeployment, nodesReady, scale, setImage, staysQuiet } from './workloads.ts'

const DEPLOYMENTS = { web: 120, shop: 60, jobs: 40 }
const STEPS = 12
const STEP_MS_MAX = 20_000
/** Of 20 nodes: the others must be able to hold all pods. */
const NODES_DOWN_MAX = 3

export type Outcome = { readonly hash: string; readonly writes: readonly Write[] }

class Chaos {
  readonly #cluster: SimulatedCluster
  readonly #random: SeededRandom
  readonly #down = new Set<string>()
  readonly #crashed = new Set<'controllers' | 'scheduler'>()
  #image = 1

  constructor(cluster: SimulatedCluster, seed: number) {
    this.#cluster = cluster
    this.#random = new SeededRandom(seed ^ 0x5eed)
  }

  async step(): Promise<void> {
    await this.#pick([
      () => this.#cluster.loseWatches(),
      () => this.#cluster.compact(),
      () => this.#toggleComponent(),
      () => this.#toggleComponent(),
      () => this.#toggleNode(),
      () => setImage(this.#cluster, this.#deployment(), `example:${++this.#image}`),
      () => scale(this.#cluster, this.#deployment(), Math.floor(this.#random.next() * 150)),
      () => this.#deletePods(),
      () => this.#drainSome(),
    ])()
    await this.#cluster.run(Math.floor(this.#random.next() * STEP_MS_MAX))
  }

  /** Ends all mischief. */
  heal(): void {
    for (const name of this.#crashed) this.#cluster.restartComponent(name)
    for (const name of this.#down) this.#cluster.restartNode(name)
  }

  #toggleComponent(): void {
    const name = this.#pick(['controllers', 'scheduler'] as const)
    if (this.#crashed.delete(name)) return this.#cluster.restartComponent(name)
    this.#crashed.add(name)
    this.#cluster.crashComponent(name)
  }

  #toggleNode(): void {
    const name = this.#pick(this.#cluster.nodeNames)
    if (this.#down.has(name) || this.#down.size >= NODES_DOWN_MAX) {
      const back = this.#down.has(name) ? name : this.#pick([...this.#down])
      this.#down.delete(back)
      return this.#cluster.restartNode(back)
    }
    this.#down.add(name)
    this.#cluster.crashNode(name)
  }

  async #deletePods(): Promise<void> {
    const { items } = await this.#cluster.client.list(PODS, 'default')
    for (let count = 0; count < 5 && items.length > 0; count++) {
      const { name } = this.#pick(items).metadata
      const deletion = this.#cluster.client.delete(PODS, 'default', name)
      await this.#cluster.perform(deletion).catch((error: unknown) => {
        if (!isNotFound(error)) throw error
      })
    }
  }

  async #drainSome(): Promise<void> {
    const name = this.#pick(this.#cluster.nodeNames)
    if (this.#down.has(name) || this.#crashed.size > 0) return
    await drain(this.#cluster, name, 10 * MINUTE_MS)
    await setUnschedulable(this.#cluster, name, false)
  }

  #deployment(): string {
    return this.#pick(Object.keys(DEPLOYMENTS))
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random.next() * choices.length)]!
  }
}

/** One whole run: mischief, then rest. Throws when an invariant broke or the cluster does not come to rest. */
export async function runChaos(seed: number): Promise<Outcome> {
  const cluster = await createSimulatedCluster({
    seed,
    nodes: 20,
    faults: { delayMsMax: 30, lostRequests: 0.005, lostAnswers: 0 },
  })
  try {
    await nodesReady(cluster)
    for (const [name, replicas] of Object.entries(DEPLOYMENTS)) await createDeployment(cluster, { name, replicas })
    const chaos = new Chaos(cluster, seed)
    for (let step = 0; step < STEPS; step++) await chaos.step()
    chaos.heal()
    cluster.setFaults({ delayMsMax: 5, lostRequests: 0, lostAnswers: 0 })
    await converges(cluster, 20 * MINUTE_MS)
    await staysQuiet(cluster, 10 * MINUTE_MS)
    return { hash: cluster.writesHash(), writes: cluster.writes() }
  } finally {
    await cluster.close()
  }
}
