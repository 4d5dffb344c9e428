/** Turns a DNS query into the packet that answers it: cluster names from the view, all others through the forwarder. */
import {
  AUTHORITATIVE_ANSWER,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  type Answer,
  type DecodedPacket,
  type Packet,
  type Question,
} from 'dns-packet'
import type { Clock } from '#base/clock.ts'
import type { RandomSource } from '#base/random.ts'
import { answerQuestion, startOfAuthority, type Reply } from './answer.ts'
import { responseCode } from './ask.ts'
import type { Forwarder } from './forwarder.ts'
import { makeOptions, optionsOf } from './options-record.ts'
import type { ClusterView } from './records.ts'

export type ResolverOptions = {
  readonly domain: string
  readonly view: ClusterView
  readonly forwarder: Forwarder
  readonly clock: Clock
  readonly random: RandomSource
}

/** Those above 15 have their upper bits in the options record. */
const RCODE = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5, BADVERS: 16 } as const
const OPCODE_BITS = 0x7800
/** Aliases of aliases are followed so far: a ring of them must not keep us busy. */
const ALIASES_MAX = 8

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
    const [question, ...others] = query.questions ?? []
    if (question === undefined || others.length > 0) return makeReply(query, refusal(RCODE.FORMERR))
    if ((query.flags ?? 0) & OPCODE_BITS) return makeReply(query, refusal(RCODE.NOTIMP))
    if ((optionsOf(query)?.ednsVersion ?? 0) !== 0) return makeReply(query, refusal(RCODE.BADVERS))
    if (question.class !== 'IN') return makeReply(query, refusal(RCODE.REFUSED))
    const { domain, view } = this.#options
    const content = await this.#contentOf(answerQuestion(question, domain, view, this.#options.clock.now()), question)
    return makeReply(query, content)
  }

  async #contentOf(reply: Reply, question: Question): Promise<Content> {
    const { domain, clock } = this.#options
    switch (reply.outcome) {
      case 'answer': {
        const authorities = reply.answers.length === 0 ? [startOfAuthority(domain, clock.now())] : []
        const { additionals } = reply
        return {
          rcode: RCODE.NOERROR,
          authoritative: true,
          answers: this.#rotate(reply.answers),
          authorities,
          additionals,
        }
      }
      case 'no-such-name':
        return { rcode: RCODE.NXDOMAIN, authoritative: true, authorities: [startOfAuthority(domain, clock.now())] }
      case 'alias':
        return { rcode: RCODE.NOERROR, authoritative: true, answers: await this.#followAlias(reply, question.type) }
      case 'not-ours':
        return await this.#forward(question)
    }
  }

  /** The aliases one after the other, then what the last one stands for. */
  async #followAlias(first: Extract<Reply, { outcome: 'alias' }>, type: string): Promise<Answer[]> {
    const { domain, view } = this.#options
    const answers = [first.alias]
    if (type === 'CNAME') return answers
    let target = first.target
    while (answers.length <= ALIASES_MAX) {
      const inside = answerQuestion({ name: target, type }, domain, view)
      if (inside.outcome === 'answer') return [...answers, ...this.#rotate(inside.answers)]
      if (inside.outcome === 'no-such-name') return answers
      if (inside.outcome === 'not-ours')
        return [...answers, ...((await this.#forward({ name: target, type } as Question)).answers ?? [])]
      answers.push(inside.alias)
      target = inside.target
    }
    return answers
  }

  async #forward(question: Question): Promise<Content> {
    const packet = await this.#options.forwarder.resolve(question.name, question.type)
    if (packet === null) return refusal(RCODE.SERVFAIL)
    const additionals = (packet.additionals ?? []).filter((additional) => additional.type !== 'OPT')
    return {
      rcode: responseCode(packet),
      authoritative: false,
      answers: (packet.answers ?? []).map((answer) => spelledLike(question.name, answer)),
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
}

const refusal = (rcode: number): Content => ({ rcode, authoritative: false })

/** Clients that mix upper and lower case against forged answers look for their own spelling; the cached one may be another client's. */
function spelledLike(name: string, answer: Answer): Answer {
  return answer.name.toLowerCase() === name.toLowerCase() ? { ...answer, name } : answer
}

export function makeReply(query: DecodedPacket, content: Content): Packet {
  const theirs = optionsOf(query)
  const options = theirs ? [makeOptions({ flags: theirs.flags, extendedRcode: content.rcode >> 4 })] : []
  const kept = (query.flags ?? 0) & (RECURSION_DESIRED | OPCODE_BITS)
  return {
    type: 'response',
    id: query.id ?? 0,
    flags: (content.authoritative ? AUTHORITATIVE_ANSWER : 0) | kept | RECURSION_AVAILABLE | (content.rcode & 0xf),
    questions: query.questions ?? [],
    answers: [...(content.answers ?? [])],
    authorities: [...(content.authorities ?? [])],
    additionals: [...(content.additionals ?? []), ...options],
  }
}

export const serverFailure = (query: DecodedPacket): Packet => makeReply(query, refusal(RCODE.SERVFAIL))
