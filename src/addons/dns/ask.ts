/** Asks one DNS server one question: over UDP, and over TCP when the answer did not fit. */
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { decode, encode, streamEncode, TRUNCATED_RESPONSE, type DecodedPacket, type Packet } from 'dns-packet'
import type { Clock } from '#base/clock.ts'
import type { RandomSource } from '#base/random.ts'
import { makeOptions } from './options-record.ts'

export type Inquiry = {
  readonly address: string
  readonly port: number
  readonly name: string
  readonly type: string
  /** For each of the two transports. */
  readonly timeoutMs: number
  readonly clock: Clock
  readonly random: RandomSource
}

/** Rejects when there is no answer in time, or none at all. */
export async function askServer(inquiry: Inquiry): Promise<DecodedPacket> {
  const query: Packet = {
    type: 'query',
    id: Math.floor(inquiry.random.next() * 0x1_0000),
    flags: 0x100, // Recursion desired.
    questions: [{ type: inquiry.type as 'A', name: inquiry.name, class: 'IN' }],
    additionals: [makeOptions()],
  }
  const reply = await askUdp(inquiry, query)
  return ((reply.flags ?? 0) & TRUNCATED_RESPONSE) === 0 ? reply : await askTcp(inquiry, query)
}

function askUdp({ address, port, timeoutMs, clock }: Inquiry, query: Packet): Promise<DecodedPacket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
    const timer = clock.setTimer(timeoutMs, () => finish(() => reject(new Error(`${address}: no answer`))))
    const finish = (settle: () => void): void => {
      timer.cancel()
      socket.close()
      settle()
    }
    socket.once('error', (error) => finish(() => reject(error)))
    socket.on('message', (message) => {
      const reply = decodeOrNull(message)
      if (reply !== null && answers(reply, query)) finish(() => resolve(reply))
    })
    socket.connect(port, address, () => socket.send(encode(query)))
  })
}

function askTcp({ address, port, timeoutMs, clock }: Inquiry, query: Packet): Promise<DecodedPacket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, address, () => socket.write(streamEncode(query)))
    const timer = clock.setTimer(timeoutMs, () => socket.destroy(new Error(`${address}: no answer over TCP`)))
    let received = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return
      const reply = decodeOrNull(received.subarray(2))
      if (reply !== null && answers(reply, query)) resolve(reply)
      else reject(new Error(`${address}: not an answer to the question`))
      socket.destroy()
    })
    socket.once('error', reject)
    socket.once('close', () => {
      timer.cancel()
      reject(new Error(`${address}: connection closed`))
    })
  })
}

/** Whoever guesses the id alone is not believed: the question has to be ours, too. */
function answers(reply: DecodedPacket, query: Packet): boolean {
  const [ours, theirs] = [query.questions![0]!, reply.questions?.[0]]
  const isSame = theirs?.name.toLowerCase() === withoutDot(ours.name).toLowerCase() && theirs.type === ours.type
  return reply.id === query.id && reply.type === 'response' && isSame
}

const withoutDot = (name: string): string => (name.length > 1 && name.endsWith('.') ? name.slice(0, -1) : name)

/** Anyone can send to an open UDP port: what is no DNS packet is no answer. */
export function decodeOrNull(message: Buffer): DecodedPacket | null {
  try {
    return decode(message)
  } catch {
    return null
  }
}

/** The response code of a packet: the lowest four bits of its flags. */
export const responseCode = ({ flags = 0 }: { readonly flags?: number | undefined }): number => flags & 0xf
