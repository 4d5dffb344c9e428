/** Asks the nameservers outside about names that the cluster does not know, and remembers their answers for a short time. */
import type { Answer, DecodedPacket } from 'dns-packet'
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { RandomSource } from '#base/random.ts'
import { askServer, responseCode } from './ask.ts'

export type ForwarderOptions = {
  /** Addresses, asked in turn; port 53 unless `address#port`. */
  readonly nameservers: readonly string[]
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
}

const TRY_TIMEOUT_MS = 2000
/** So long a nameserver that did not answer is asked only after the others. */
const FAILED_MS = 10_000
/** As CoreDNS' default `cache 30`: nothing is kept longer. */
const CACHE_SECONDS_MAX = 30
const CACHE_ENTRIES_MAX = 10_000

type Cached = { readonly packet: DecodedPacket; readonly storedAtMs: number; readonly seconds: number }

/** `nameserver` lines of a resolv.conf. */
export function parseNameservers(resolvConf: string): string[] {
  return resolvConf
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([keyword]) => keyword === 'nameserver')
    .flatMap(([, address]) => (address === undefined ? [] : [address]))
}

export class Forwarder {
  readonly #options: ForwarderOptions
  /** In order of insertion, so the oldest entry leaves first. */
  readonly #cache = new Map<string, Cached>()
  /** When each nameserver that is failing last did. */
  readonly #failedAtMs = new Map<string, number>()
  #turn = 0
  constructor(options: ForwarderOptions) {
    this.#options = options
  }

  /** The answer of the first nameserver that gives one; null when none does. */
  async resolve(name: string, type: string): Promise<DecodedPacket | null> {
    const key = `${name.toLowerCase()} ${type}`
    const cached = this.#recall(key)
    if (cached !== null) return cached
    for (const nameserver of this.#inTurn()) {
      const packet = await this.#ask(nameserver, name, type)
      if (packet === null) continue
      this.#remember(key, packet)
      return packet
    }
    return null
  }

  /** Each query begins with the next nameserver; those that failed a moment ago come last. */
  #inTurn(): string[] {
    const { nameservers, clock } = this.#options
    if (nameservers.length === 0) return []
    const start = this.#turn++ % nameservers.length
    const inTurn = [...nameservers.slice(start), ...nameservers.slice(0, start)]
    const hasFailed = (server: string): boolean => clock.now() - (this.#failedAtMs.get(server) ?? -Infinity) < FAILED_MS
    return [...inTurn.filter((server) => !hasFailed(server)), ...inTurn.filter(hasFailed)]
  }

  async #ask(nameserver: string, name: string, type: string): Promise<DecodedPacket | null> {
    const { clock, random, log } = this.#options
    const [address, port = '53'] = nameserver.split('#') as [string, string?]
    try {
      const common = { timeoutMs: TRY_TIMEOUT_MS, clock, random }
      const packet = await askServer({ address, port: Number(port), name, type, ...common })
      if (this.#failedAtMs.delete(nameserver)) log.info('nameserver answers again', { nameserver })
      return isRefusal(packet) ? null : packet
    } catch (error) {
      // Told when it begins, not for every query.
      if (!this.#failedAtMs.has(nameserver))
        log.warn('nameserver does not answer', { nameserver, error: String(error) })
      this.#failedAtMs.set(nameserver, clock.now())
      return null
    }
  }

  #recall(key: string): DecodedPacket | null {
    const cached = this.#cache.get(key)
    if (cached === undefined) return null
    const age = Math.floor((this.#options.clock.now() - cached.storedAtMs) / 1000)
    return age < cached.seconds ? grownOlder(cached.packet, age) : null
  }

  #remember(key: string, packet: DecodedPacket): void {
    const seconds = Math.min(CACHE_SECONDS_MAX, ...ttlsOf(packet))
    if (seconds <= 0 || ttlsOf(packet).length === 0) return
    this.#cache.delete(key)
    if (this.#cache.size >= CACHE_ENTRIES_MAX) this.#cache.delete(this.#cache.keys().next().value!)
    this.#cache.set(key, { packet, storedAtMs: this.#options.clock.now(), seconds })
  }
}

function ttlsOf({ answers = [], authorities = [] }: DecodedPacket): number[] {
  return [...answers, ...authorities].map((answer) => ('ttl' in answer ? (answer.ttl ?? 0) : 0))
}

/** The answer as its nameserver would give it now: what was kept here counts as kept by the client. */
export function grownOlder(packet: DecodedPacket, ageSeconds: number): DecodedPacket {
  const older = (record: Answer): Answer =>
    'ttl' in record && record.ttl !== undefined ? { ...record, ttl: Math.max(0, record.ttl - ageSeconds) } : record
  return {
    ...packet,
    answers: packet.answers?.map(older) ?? [],
    authorities: packet.authorities?.map(older) ?? [],
    additionals: packet.additionals?.map(older) ?? [],
  }
}

/** SERVFAIL and REFUSED say that this nameserver cannot tell; another one may. */
function isRefusal(packet: DecodedPacket): boolean {
  return [2, 5].includes(responseCode(packet))
}
