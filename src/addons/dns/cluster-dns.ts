/** One run of the cluster DNS on a node: the cluster's names on every address it is given, and the check that it answers. */
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { RandomSource } from '#base/random.ts'
import { askServer, responseCode } from './ask.ts'
import { Forwarder } from './forwarder.ts'
import type { ClusterView } from './records.ts'
import { Resolver } from './resolver.ts'
import { DnsServer } from './server.ts'

export type ClusterDnsOptions = {
  readonly view: ClusterView
  readonly domain: string
  readonly nameservers: readonly string[]
  readonly addresses: readonly string[]
  /** 0 takes a free one, for a single address. */
  readonly port: number
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
}

const SELF_QUERY_TIMEOUT_MS = 2000

export class ClusterDns {
  readonly #options: ClusterDnsOptions
  readonly #servers: readonly DnsServer[]
  #port = 0

  constructor(options: ClusterDnsOptions) {
    this.#options = options
    const { domain, view, nameservers, addresses, clock, random, log } = options
    const forwarder = new Forwarder({ nameservers, clock, random, log })
    const resolver = new Resolver({ domain, view, forwarder, clock, random })
    this.#servers = addresses.map((address) => new DnsServer(resolver, log, address))
  }

  /** The port. Rejects, with nothing left open, when one of the addresses cannot be listened on. */
  async listen(): Promise<number> {
    const { port, addresses, domain, nameservers, log } = this.#options
    try {
      for (const server of this.#servers) this.#port = await server.listen(port)
    } catch (error) {
      await this.close()
      throw error
    }
    log.info('answering', { domain, addresses, port: this.#port, nameservers })
    return this.#port
  }

  /** Resolves with `signal`, everything closed; rejects when a socket breaks. */
  async run(signal: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<void>()
    signal.addEventListener('abort', () => aborted.resolve(), { once: true })
    if (signal.aborted) aborted.resolve()
    try {
      await Promise.race([aborted.promise, ...this.#servers.map((server) => server.failed)])
    } finally {
      await this.close()
      this.#options.log.info('stopped')
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close().catch(() => {}))) // Never opened.
  }

  /** Asks itself, as a pod would, for the name that every cluster has. Rejects when the answer is missing or not an address. */
  async queryItself(address: string): Promise<string> {
    const { domain, clock, random } = this.#options
    const name = `kubernetes.default.svc.${domain}`
    const common = { timeoutMs: SELF_QUERY_TIMEOUT_MS, clock, random }
    const reply = await askServer({ address, port: this.#port, name, type: 'A', ...common })
    const [answer] = reply.answers ?? []
    if (responseCode(reply) !== 0 || answer?.type !== 'A')
      throw new Error(`${name}: response code ${responseCode(reply)}, ${reply.answers?.length ?? 0} answers`)
    return `${name} ${answer.data}`
  }
}
