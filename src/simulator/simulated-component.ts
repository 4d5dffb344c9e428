/** A component of the control plane in a simulation: killed at any moment, started again with nothing in memory. */
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { RandomSource } from '#base/random.ts'
import { ApiEventRecorder } from '#client/api-event-recorder.ts'
import type { Client } from '#client/client.ts'
import { SharedInformerFactory } from '#client/informer-factory.ts'
import { RestClient } from '#client/rest-client.ts'
import type { UserInfo } from '#control-plane/apiserver/request.ts'
import { runControllers } from '#control-plane/controllers/controller-manager.ts'
import { Scheduler } from '#control-plane/scheduler/scheduler.ts'
import type { FaultTransport } from './fault-transport.ts'

export type ComponentName = 'controllers' | 'scheduler'

export type ComponentOptions = {
  readonly clock: Clock
  readonly log: Logger
  readonly randomOf: (name: string) => RandomSource
  readonly connect: (user: UserInfo, component: string) => FaultTransport
  /** Which controllers run, as `--controllers` takes them. */
  readonly controllers: readonly string[]
}

type Parts = {
  readonly client: Client
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
  readonly informers: SharedInformerFactory
  readonly events: ApiEventRecorder
}

type Definition = {
  readonly user: UserInfo
  /** Default field manager of its writes. */
  readonly component: string
  readonly eventSource: string
  readonly run: (parts: Parts, signal: AbortSignal, controllers: readonly string[]) => Promise<void>
}

const POD_RANGE = '10.0.0.0/8'

const user = (name: string, ...groups: readonly string[]): UserInfo => ({
  name,
  uid: '',
  groups: [...groups, 'system:authenticated'],
  extra: {},
})

const DEFINITIONS: Readonly<Record<ComponentName, Definition>> = {
  controllers: {
    user: user('system:kube-controller-manager', 'system:masters'),
    component: 'kube-controller-manager',
    eventSource: 'kube-controller-manager',
    run: (parts, signal, controllers) =>
      runControllers({ ...parts, signal, options: { clusterCidr: POD_RANGE, rootCa: 'simulated', controllers } }),
  },
  scheduler: {
    user: user('system:kube-scheduler'),
    component: 'kube-scheduler',
    eventSource: 'default-scheduler',
    run: async (parts, signal) => {
      const running = new Scheduler(parts).run(signal)
      parts.informers.start(signal)
      await running
    },
  },
}

export class SimulatedComponent {
  readonly #name: ComponentName
  readonly #options: ComponentOptions
  #starts = 0
  #running: { readonly abort: AbortController; readonly transport: FaultTransport } | null = null

  constructor(name: ComponentName, options: ComponentOptions) {
    this.#name = name
    this.#options = options
  }

  start(): void {
    if (this.#running !== null) throw new Error(`${this.#name} runs already`)
    const { clock, randomOf, connect, controllers } = this.#options
    const definition = DEFINITIONS[this.#name]
    const log = this.#options.log.child({ component: this.#name })
    const transport = connect(definition.user, definition.component)
    const abort = new AbortController()
    this.#running = { abort, transport }
    const client = new RestClient(transport)
    const random = randomOf(`${this.#name}-${this.#starts++}`)
    const informers = new SharedInformerFactory({ client, clock, random, log })
    const events = new ApiEventRecorder({ client, clock, random, log, component: definition.eventSource, host: '' })
    const parts = { client, clock, random, log, informers, events }
    definition.run(parts, abort.signal, controllers).catch((error: unknown) => {
      if (!abort.signal.aborted) log.error('ended', { error: error instanceof Error ? error.stack : String(error) })
    })
  }

  /** Cuts it off first, so that nothing it still wants to say on its way out is heard. */
  crash(): void {
    const running = this.#running
    if (running === null) throw new Error(`${this.#name} does not run`)
    this.#running = null
    void running.transport.close()
    running.abort.abort(new Error(`${this.#name} crashed`))
  }

  get isUp(): boolean {
    return this.#running !== null
  }
}
