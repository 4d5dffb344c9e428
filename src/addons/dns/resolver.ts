/** Turns a DNS query into the packet that answers it: cluster names from the view, all others through the forwarder. */
import {
  AUTHORITATIVE_ANSWER,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  type Answer,
  type DecodedPacket,
  type Packet,
} from 'dns-packet'
import type { Clock } from '#base/clock.ts'
import type { RandomSource } from '#base/random.ts'
import { answerQuestion, startOfAuthority, type Reply } from './answer.ts'
import { responseCode, type Forwarder } from './forwarder.ts'
import type { ClusterView } from './records.ts'

export type ResolverOptions = {
  readonly domain: string
  readonly view: ClusterView
  readonly forwarder: Forwarder
  readonly clock: Clock
  readonly random: RandomSource
}

/** Response codes in the lowest bits of the flags. */
const RCODE = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4 } as const

type Content = {
  readonly rcode: number
  readonly authoritative: boolean
  readonly answers?: readonly Answer[]
  readonly authorities?: readonly Answer[]
  readonly additionals?: readonly Answer[]
}

export class Resolver {
  readonly #options: ResolverOptions
  constructor(options: ResolverOptions) {
    this.#options = options
  }

  async resolve(query: DecodedPacket): Promise<Packet> {
    const question = query.questions?.[0]
    if (question === undefined || query.questions!.length !== 1)
      return this.#packet(query, { rcode: RCODE.FORMERR, authoritative: false })
    if ((query.flags ?? 0) & 0x7800) return this.#packet(query, { rcode: RCODE.NOTIMP, authoritative: false }) // Opcode: only QUERY.
    const { domain, view } = this.#options
    const reply = answerQuestion(question, domain, view)
    return this.#packet(query, await this.#contentOf(reply, question))
  }

  async #contentOf(reply: Reply, question: { name: string; type: string }): Promise<Content> {
    const { domain, clock } = this.#options
    switch (reply.outcome) {
      case 'answer': {
        const authorities = reply.answers.length === 0 ? [startOfAuthority(domain, clock.now())] : []
        return {
          rcode: RCODE.NOERROR,
          authoritative: true,
          answers: this.#rotate(reply.answers),
          authorities,
          additionals: reply.additionals,
        }
      }
      case 'no-such-name':
        return { rcode: RCODE.NXDOMAIN, authoritative: true, authorities: [startOfAuthority(domain, clock.now())] }
      case 'alias':
        return this.#followAlias(reply.alias, reply.target, question.type)
      case 'not-ours':
        return this.#forward(question.name, question.type)
    }
  }

  async #followAlias(alias: Answer, target: string, type: string): Promise<Content> {
    if (type === 'CNAME') return { rcode: RCODE.NOERROR, authoritative: true, answers: [alias] }
    const { domain, view } = this.#options
    const inside = answerQuestion({ name: target, type }, domain, view)
    // An alias to an alias is left to the client: a ring of them must not keep us busy.
    const answers =
      inside.outcome === 'answer'
        ? inside.answers
        : inside.outcome === 'not-ours'
          ? (await this.#forward(target, type)).answers
          : []
    return { rcode: RCODE.NOERROR, authoritative: true, answers: [alias, ...(answers ?? [])] }
  }

  async #forward(name: string, type: string): Promise<Content> {
    const packet = await this.#options.forwarder.resolve(name, type)
    if (packet === null) return { rcode: RCODE.SERVFAIL, authoritative: false }
    const additionals = (packet.additionals ?? []).filter((additional) => additional.type !== 'OPT')
    return {
      rcode: responseCode(packet),
      authoritative: false,
      answers: packet.answers ?? [],
      authorities: packet.authorities ?? [],
      additionals,
    }
  }

  /** Clients tend to take the first address: each answer starts at another one. */
  #rotate(answers: readonly Answer[]): readonly Answer[] {
    if (answers.length < 2) return answers
    const start = Math.floor(this.#options.random.next() * answers.length)
    return [...answers.slice(start), ...answers.slice(0, start)]
  }

  #packet(query: DecodedPacket, content: Content): Packet {
    const wantsOptions = query.additionals?.some((additional) => additional.type === 'OPT') ?? false
    const options: Answer[] = wantsOptions
      ? [
          {
            type: 'OPT',
            name: '.',
            udpPayloadSize: UDP_PAYLOAD_BYTES,
            extendedRcode: 0,
            ednsVersion: 0,
            flags: 0,
            flag_do: false,
            options: [],
          },
        ]
      : []
    const recursion = (query.flags ?? 0) & RECURSION_DESIRED
    return {
      type: 'response',
      id: query.id ?? 0,
      flags: (content.authoritative ? AUTHORITATIVE_ANSWER : 0) | recursion | RECURSION_AVAILABLE | content.rcode,
      questions: query.questions ?? [],
      answers: [...(content.answers ?? [])],
      authorities: [...(content.authorities ?? [])],
      additionals: [...(content.additionals ?? []), ...options],
    }
  }
}

/** What we take over UDP; larger answers are cut and asked again over TCP. */
export const UDP_PAYLOAD_BYTES = 1232
/** What a client without EDNS takes. */
export const UDP_CLASSIC_BYTES = 512
