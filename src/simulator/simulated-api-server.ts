/** The API server of a simulation: the real resources, authorization and default objects, reached by calls instead of sockets. */
import { KINDS } from '#api/kinds.ts'
import { DEFAULT_FEATURE_GATES } from '#base/feature-gates.ts'
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { RandomSource } from '#base/random.ts'
import { InProcessTransport, type InProcessServer } from '#client/in-process-transport.ts'
import { RestClient } from '#client/rest-client.ts'
import { APISERVER_USER } from '#control-plane/apiserver/apiserver.ts'
import { createAuthorizer } from '#control-plane/apiserver/authorization/create-authorizer.ts'
import { DEFAULT_SETTINGS } from '#control-plane/apiserver/settings.ts'
import { ObjectFeeds } from '#control-plane/apiserver/authorization/object-feeds.ts'
import { createAuthorizationStage } from '#control-plane/apiserver/authorization/authorization-stage.ts'
import { Bootstrap } from '#control-plane/apiserver/bootstrap/bootstrap.ts'
import { createResources } from '#control-plane/apiserver/endpoints/resource-backend.ts'
import { HealthChecks } from '#control-plane/apiserver/health/health-checks.ts'
import { createInProcessServer } from '#control-plane/apiserver/in-process-server.ts'
import { chain } from '#control-plane/apiserver/request-chain.ts'
import type { Handler, UserInfo } from '#control-plane/apiserver/request.ts'
import type { ResourceBackend, ResourceDependencies } from '#control-plane/apiserver/resource-backend.ts'
import type { Store } from '#control-plane/store/store.ts'

export type SimulatedApiServerOptions = {
  readonly store: Store
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
}

const SERVICE_RANGE = '10.96.0.0/16'
const NODE_PORTS = { from: 30_000, to: 32_767 }
/** Loopback: the `kubernetes` Service gets no endpoints. */
const PLACE = { address: '127.0.0.1', port: 6443 }

/** Signing takes real time and real randomness, which one seed could not replay. */
const NO_TOKENS: ResourceDependencies['tokens'] = {
  authenticateToken: async () => null,
  issueToken: async () => {
    throw new Error('a simulated cluster signs no tokens')
  },
}

export class SimulatedApiServer {
  readonly #closing = new AbortController()
  readonly #backend: ResourceBackend
  readonly #handler: Handler
  readonly #health = new HealthChecks()
  readonly #options: SimulatedApiServerOptions

  constructor(options: SimulatedApiServerOptions) {
    this.#options = options
    const { clock, log } = options
    const client = new RestClient(new InProcessTransport(this.inProcess(APISERVER_USER), 'kube-apiserver'))
    const feeds = new ObjectFeeds({ client, clock, log })
    const authorizer = createAuthorizer(feeds, DEFAULT_SETTINGS.authorizationModes)
    this.#backend = createResources(
      {
        ...options,
        kinds: KINDS,
        features: DEFAULT_FEATURE_GATES,
        authorizer,
        tokens: NO_TOKENS,
        client,
        serviceClusterIpRange: SERVICE_RANGE,
        nodePortRange: NODE_PORTS,
        settings: DEFAULT_SETTINGS,
      },
      { freeze: true },
    )
    this.#handler = chain([createAuthorizationStage(authorizer)], this.#backend.handler)
    const { signal } = this.#closing
    const bootstrap = new Bootstrap({
      client,
      clientAs: (component) => new RestClient(new InProcessTransport(this.inProcess(APISERVER_USER), component)),
      clock,
      random: options.random,
      log,
      health: this.#health,
      options: {
        kinds: KINDS,
        serviceClusterIpRange: SERVICE_RANGE,
        clientCa: '',
        hostname: 'simulated',
        nodePortRange: NODE_PORTS,
      },
      requestHeader: null,
      keepsEndpoints: true,
    })
    const start = async (): Promise<void> => {
      await this.#backend.ready()
      feeds.start(signal)
      await bootstrap.run({ ...PLACE, signal })
    }
    start().catch((error: unknown) => {
      if (!signal.aborted) log.error('start failed', { error: String(error) })
    })
  }

  /** The way in, as this user. */
  inProcess(user: UserInfo): InProcessServer {
    const { clock } = this.#options
    return createInProcessServer((request) => this.#handler(request), { user, closing: this.#closing.signal, clock })
  }

  /** True when the default objects are there. */
  isReady(): Promise<boolean> {
    return this.#health.isReady()
  }

  /** Ends all watches at once; the store keeps what was acknowledged. */
  async crash(): Promise<void> {
    this.#closing.abort(new Error('the API server is gone'))
    await this.#backend.close()
  }
}
