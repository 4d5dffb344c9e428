/** The cluster DNS server: UDP and TCP on one address, each answer made by the resolver. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { createServer, type Server, type Socket as TcpSocket } from 'node:net'
import { encode, streamEncode, TRUNCATED_RESPONSE, type DecodedPacket, type Packet } from 'dns-packet'
import type { Logger } from '#base/log.ts'
import { decodeOrNull } from './forwarder.ts'
import { UDP_CLASSIC_BYTES, type Resolver } from './resolver.ts'

/** A TCP client that sends nothing is let go after this time. */
const TCP_IDLE_MS = 10_000
const TCP_CONNECTIONS_MAX = 1000

export class DnsServer {
  readonly #resolver: Resolver
  readonly #log: Logger
  readonly #udp: Socket = createSocket('udp4')
  readonly #tcp: Server
  constructor(resolver: Resolver, log: Logger) {
    this.#resolver = resolver
    this.#log = log
    this.#udp.on('message', (message, remote) => void this.#answerUdp(message, remote))
    this.#tcp = createServer((socket) => this.#serveTcp(socket))
    this.#tcp.maxConnections = TCP_CONNECTIONS_MAX
  }

  /** Rejects when the address is not this machine's or the port is taken. Port 0 picks one, the same for both. */
  async listen(address: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#udp.once('error', reject)
      this.#udp.bind(port, address, () => resolve())
    })
    const bound = this.#udp.address().port
    await new Promise<void>((resolve, reject) => {
      this.#tcp.once('error', reject)
      this.#tcp.listen(bound, address, () => resolve())
    })
    this.#udp.removeAllListeners('error')
    this.#udp.on('error', (error) => this.#log.error('dns socket failed', { error: String(error) }))
    return bound
  }

  async close(): Promise<void> {
    await Promise.all([
      new Promise<void>((resolve) => this.#udp.close(() => resolve())),
      new Promise<void>((resolve) => this.#tcp.close(() => resolve())),
    ])
  }

  async #answerUdp(message: Buffer, remote: RemoteInfo): Promise<void> {
    const query = decodeOrNull(message)
    if (query === null || query.type !== 'query') return
    const packet = await this.#resolve(query)
    const bytes = encode(packet)
    const reply = bytes.length <= acceptedBytes(query) ? bytes : encode(truncate(packet))
    this.#udp.send(reply, remote.port, remote.address, (error) => {
      if (error) this.#log.debug('dns answer not sent', { to: remote.address, error: String(error) })
    })
  }

  async #resolve(query: DecodedPacket): Promise<Packet> {
    try {
      return await this.#resolver.resolve(query)
    } catch (error) {
      this.#log.error('dns query failed', { question: query.questions?.[0]?.name, error: String(error) })
      const SERVFAIL = 2
      return { type: 'response', id: query.id ?? 0, flags: SERVFAIL, questions: query.questions ?? [] }
    }
  }

  #serveTcp(socket: TcpSocket): void {
    let received = Buffer.alloc(0)
    socket.setTimeout(TCP_IDLE_MS, () => socket.destroy())
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0)
        const query = decodeOrNull(received.subarray(2, end))
        received = received.subarray(end)
        if (query === null || query.type !== 'query') return void socket.destroy()
        void this.#resolve(query).then((packet) => socket.write(streamEncode(packet)))
      }
    })
  }
}

/** What the client can take over UDP: its EDNS size, or the classic 512 bytes. */
function acceptedBytes(query: DecodedPacket): number {
  const options = query.additionals?.find((additional) => additional.type === 'OPT')
  return Math.max(UDP_CLASSIC_BYTES, options?.type === 'OPT' ? (options.udpPayloadSize ?? 0) : 0)
}

/** The client sees that it was cut, and asks again over TCP. */
function truncate(packet: Packet): Packet {
  const options = packet.additionals?.filter((additional) => additional.type === 'OPT') ?? []
  return {
    ...packet,
    flags: (packet.flags ?? 0) | TRUNCATED_RESPONSE,
    answers: [],
    authorities: [],
    additionals: options,
  }
}
