/** Asks the nameservers outside about names that the cluster does not know, and remembers their answers for a short time. */
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { decode, encode, streamEncode, TRUNCATED_RESPONSE, type DecodedPacket, type Packet } from 'dns-packet'
import type { Clock } from '#base/clock.ts'
import type { RandomSource } from '#base/random.ts'

export type ForwarderOptions = {
  /** Addresses, tried in order; port 53 unless `address#port`. */
  readonly nameservers: readonly string[]
  readonly clock: Clock
  readonly random: RandomSource
}

const TRY_TIMEOUT_MS = 2000
/** As CoreDNS' default `cache 30`: nothing is kept longer. */
const CACHE_SECONDS_MAX = 30
const CACHE_ENTRIES_MAX = 10_000

type Cached = { readonly packet: DecodedPacket; readonly expiresAtMs: number }

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
  constructor(options: ForwarderOptions) {
    this.#options = options
  }

  /** The answer of the first nameserver that gives one; null when none does. */
  async resolve(name: string, type: string): Promise<DecodedPacket | null> {
    const key = `${name.toLowerCase()} ${type}`
    const cached = this.#cache.get(key)
    if (cached !== undefined && cached.expiresAtMs > this.#options.clock.now()) return cached.packet
    for (const nameserver of this.#options.nameservers) {
      const packet = await this.#ask(nameserver, name, type).catch(() => null) // The next nameserver may answer.
      if (packet === null || isFailure(packet)) continue
      this.#remember(key, packet)
      return packet
    }
    return null
  }

  #remember(key: string, packet: DecodedPacket): void {
    const ttls = [...(packet.answers ?? []), ...(packet.authorities ?? [])].map((answer) =>
      'ttl' in answer ? (answer.ttl ?? 0) : 0,
    )
    const seconds = Math.min(CACHE_SECONDS_MAX, ...ttls)
    if (seconds <= 0 || ttls.length === 0) return
    this.#cache.delete(key)
    if (this.#cache.size >= CACHE_ENTRIES_MAX) this.#cache.delete(this.#cache.keys().next().value!)
    this.#cache.set(key, { packet, expiresAtMs: this.#options.clock.now() + seconds * 1000 })
  }

  async #ask(nameserver: string, name: string, type: string): Promise<DecodedPacket> {
    const [address, port = '53'] = nameserver.split('#') as [string, string?]
    const query: Packet = {
      type: 'query',
      id: Math.floor(this.#options.random.next() * 0x1_0000),
      flags: 0x100, // Recursion desired.
      questions: [{ type: type as 'A', name, class: 'IN' }],
      additionals: [
        {
          type: 'OPT',
          name: '.',
          udpPayloadSize: 1232,
          extendedRcode: 0,
          ednsVersion: 0,
          flags: 0,
          flag_do: false,
          options: [],
        },
      ],
    }
    const reply = await this.#askUdp(address, Number(port), query)
    return ((reply.flags ?? 0) & TRUNCATED_RESPONSE) === 0 ? reply : this.#askTcp(address, Number(port), query)
  }

  #askUdp(address: string, port: number, query: Packet): Promise<DecodedPacket> {
    return new Promise((resolve, reject) => {
      const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
      const timer = this.#options.clock.setTimer(TRY_TIMEOUT_MS, () =>
        finish(() => reject(new Error(`${address}: no answer`))),
      )
      const finish = (settle: () => void): void => {
        timer.cancel()
        socket.close()
        settle()
      }
      socket.once('error', (error) => finish(() => reject(error)))
      socket.on('message', (message) => {
        const reply = decodeOrNull(message)
        if (reply !== null && reply.id === query.id) finish(() => resolve(reply))
      })
      socket.connect(port, address, () => socket.send(encode(query)))
    })
  }

  #askTcp(address: string, port: number, query: Packet): Promise<DecodedPacket> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, address, () => socket.write(streamEncode(query)))
      const timer = this.#options.clock.setTimer(TRY_TIMEOUT_MS, () =>
        socket.destroy(new Error(`${address}: no answer over TCP`)),
      )
      let received = Buffer.alloc(0)
      socket.on('data', (chunk: Buffer) => {
        received = Buffer.concat([received, chunk])
        if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return
        timer.cancel()
        socket.destroy()
        const reply = decodeOrNull(received.subarray(2))
        if (reply === null) reject(new Error(`${address}: not a DNS answer`))
        else resolve(reply)
      })
      socket.once('error', (error) => {
        timer.cancel()
        reject(error)
      })
      socket.once('close', () => reject(new Error(`${address}: connection closed`)))
    })
  }
}

/** The response code of a packet: the lowest four bits of its flags. */
export const responseCode = (packet: DecodedPacket): number => (packet.flags ?? 0) & 0xf

/** SERVFAIL and REFUSED say that this nameserver cannot tell; another one may. */
function isFailure(packet: DecodedPacket): boolean {
  return [2, 5].includes(responseCode(packet))
}

/** Anyone can send to an open UDP port: what is no DNS packet is no answer. */
export function decodeOrNull(message: Buffer): DecodedPacket | null {
  try {
    return decode(message)
  } catch {
    return null
  }
}
