/** The cluster DNS server: UDP and TCP on one address, each answer made by the resolver. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { createServer, type AddressInfo, type Server, type Socket as TcpSocket } from 'node:net'
import type { DecodedPacket } from 'dns-packet'
import type { Logger } from '#base/log.ts'
import { decodeOrNull } from './ask.ts'
import { acceptedBytes } from './options-record.ts'
import { serverFailure, type Resolver } from './resolver.ts'
import { encodeWithin } from './wire.ts'

/** A TCP client that sends nothing is let go after this time. */
const TCP_IDLE_MS = 10_000
const TCP_CONNECTIONS_MAX = 1000
/** Ports tried when any will do. */
const PICK_ATTEMPTS_MAX = 10
/** All that the length in front of a TCP message can tell. */
const TCP_BYTES_MAX = 0xffff

export class DnsServer {
  readonly #resolver: Resolver
  readonly #log: Logger
  readonly #address: string
  readonly #udp: Socket
  readonly #tcp: Server
  readonly #connections = new Set<TcpSocket>()
  #isClosed = false
  readonly #failed = Promise.withResolvers<never>()

  constructor(resolver: Resolver, log: Logger, address: string) {
    this.#resolver = resolver
    this.#log = log
    this.#address = address
    this.#udp = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', ipv6Only: address.includes(':') })
    this.#udp.on('message', (message, remote) => void this.#answerUdp(message, remote))
    this.#tcp = createServer((socket) => this.#serveTcp(socket))
    this.#tcp.maxConnections = TCP_CONNECTIONS_MAX
    this.#failed.promise.catch(() => {}) // Nobody has to wait for it.
  }

  /** Rejects when a socket breaks after it listened. */
  get failed(): Promise<never> {
    return this.#failed.promise
  }

  /** Rejects when the address is not this machine's or the port is taken. Port 0 picks one, the same for both. */
  async listen(port: number): Promise<number> {
    const bound = await this.#listenOnBoth(port)
    for (const socket of [this.#udp, this.#tcp]) {
      socket.removeAllListeners('error')
      socket.on('error', (error: Error) => this.#failed.reject(error))
    }
    return bound
  }

  /** A port that is free for TCP may be taken for UDP: only when none was asked for, another one will do. */
  async #listenOnBoth(port: number): Promise<number> {
    for (let attempt = 1; ; attempt++) {
      await new Promise<void>((resolve, reject) => {
        this.#tcp.once('error', reject)
        this.#tcp.listen({ port, host: this.#address, ipv6Only: true }, () => resolve())
      })
      const bound = (this.#tcp.address() as AddressInfo).port
      try {
        await new Promise<void>((resolve, reject) => {
          this.#udp.once('error', reject)
          this.#udp.bind(bound, this.#address, () => resolve())
        })
        return bound
      } catch (error) {
        if (port !== 0 || attempt === PICK_ATTEMPTS_MAX) throw error
        await new Promise<void>((resolve) => this.#tcp.close(() => resolve()))
      }
    }
  }

  /** Also after a `listen` that rejected. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const socket of this.#connections) socket.destroy()
    await Promise.all([
      new Promise<void>((resolve) => this.#udp.close(() => resolve())),
      new Promise<void>((resolve) => this.#tcp.close(() => resolve())),
    ])
  }

  async #answerUdp(message: Buffer, remote: RemoteInfo): Promise<void> {
    const query = decodeOrNull(message)
    if (query === null || query.type !== 'query') return
    const reply = await this.#replyTo(query, acceptedBytes(query))
    if (this.#isClosed) return
    this.#udp.send(reply, remote.port, remote.address, (error) => {
      if (error) this.#log.debug('dns answer not sent', { to: remote.address, error: String(error) })
    })
  }

  /** What others answered may be beyond what can be written: that fails the one query, nothing else. */
  async #replyTo(query: DecodedPacket, bytesMax: number): Promise<Buffer> {
    try {
      return encodeWithin(await this.#resolver.resolve(query), bytesMax)
    } catch (error) {
      this.#log.error('dns query failed', { question: query.questions?.[0]?.name, error: String(error) })
      return encodeWithin(serverFailure(query), bytesMax)
    }
  }

  #serveTcp(socket: TcpSocket): void {
    let received = Buffer.alloc(0)
    this.#connections.add(socket)
    socket.setTimeout(TCP_IDLE_MS, () => socket.destroy())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#connections.delete(socket))
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0)
        const query = decodeOrNull(received.subarray(2, end))
        received = received.subarray(end)
        if (query === null || query.type !== 'query') return void socket.destroy()
        void this.#replyTo(query, TCP_BYTES_MAX).then((reply) => socket.write(withLength(reply)))
      }
    })
  }
}

function withLength(message: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}
