/** Sorts requests into priority levels by the FlowSchemas of the cluster, and moves seats to where they are wanted. */
import type { FlowSchema, PriorityLevelConfiguration } from '#api/flowcontrol/v1.gen.ts'
import type { Clock } from '#base/clock.ts'
import { allocateConcurrency } from './concurrency-allocation.ts'
import { FlowStats } from './flow-stats.ts'
import { MANDATORY_LEVELS, MANDATORY_SCHEMAS } from './mandatory-objects.ts'
import { matchesFlowSchema, type Classified } from './match-flow-schema.ts'
import { computeLimits, levelProblem, type LevelLimits } from './priority-level-limits.ts'
import { QueueSet } from './queue-set.ts'
import { DroppedRequests } from './dropped-requests.ts'
import { dealHand, hashFlow } from './shuffle-sharding.ts'

/** Upstream's period of moving seats between levels. */
export const BORROWING_PERIOD_MS = 10_000
/** Hands that are remembered: as many flows as ask within a while, not as many as there ever were. */
const HANDS_MAX = 4096

export class PriorityLevel {
  object: PriorityLevelConfiguration
  readonly queueSet: QueueSet
  readonly dropped: DroppedRequests
  limits: LevelLimits = { nominal: 0, lower: 0, upper: 0, requestMax: 0 }
  currentLimit = 0
  /** What it was last found to want, at least the lower bound. */
  target = 0
  isNew = true
  /** Its object is gone; it stays until its requests are done. */
  isQuiescing = false

  constructor(object: PriorityLevelConfiguration, clock: Clock) {
    this.object = object
    this.queueSet = new QueueSet(clock)
    this.dropped = new DroppedRequests(clock)
  }

  get name(): string {
    return this.object.metadata.name
  }

  get isExempt(): boolean {
    return this.object.spec.type === 'Exempt'
  }
}

export type Flow = {
  readonly schema: FlowSchema
  readonly level: PriorityLevel
  readonly distinguisher: string
  readonly hand: readonly number[]
  readonly stats: FlowStats
}

export class FlowController {
  readonly #clock: Clock
  readonly #serverSeats: number
  readonly levels = new Map<string, PriorityLevel>()
  /** In the order in which they are tried. */
  #schemas: readonly { readonly schema: FlowSchema; readonly level: PriorityLevel; readonly stats: FlowStats }[] = []
  readonly #stats = new Map<string, FlowStats>()
  readonly #hands = new Map<string, readonly number[]>()
  #nominalSum = 0
  fairFraction = 0

  /** `serverSeats`: what runs at once in the whole server. */
  constructor(clock: Clock, serverSeats: number) {
    this.#clock = clock
    this.#serverSeats = serverSeats
    this.configure([], [])
  }

  allStats(): Iterable<FlowStats> {
    return this.#stats.values()
  }

  /** Takes over what the cluster's objects say; requests under way go on. */
  configure(levels: readonly PriorityLevelConfiguration[], schemas: readonly FlowSchema[]): void {
    const wanted = withMandatory(
      levels.filter((level) => levelProblem(level) === null),
      MANDATORY_LEVELS,
    )
    for (const object of wanted) {
      const known = this.levels.get(object.metadata.name)
      if (known === undefined) this.levels.set(object.metadata.name, new PriorityLevel(object, this.#clock))
      else Object.assign(known, { object, isQuiescing: false })
    }
    this.#retire(new Set(wanted.map(({ metadata }) => metadata.name)))
    this.#hands.clear()
    this.#setLimits()
    this.#setSchemas(schemas)
  }

  /** Seats move to where they are wanted; levels that waited for their last request are gone. */
  endPeriod(): void {
    if (this.#reap()) this.#setLimits()
    else this.updateBorrowing()
  }

  #retire(wanted: ReadonlySet<string>): void {
    for (const level of this.levels.values()) level.isQuiescing = !wanted.has(level.name)
    this.#reap()
  }

  #reap(): boolean {
    let isAny = false
    for (const level of this.levels.values()) {
      if (!level.isQuiescing || !level.queueSet.isIdle) continue
      this.levels.delete(level.name)
      isAny = true
    }
    return isAny
  }

  #setLimits(): void {
    const limits = computeLimits(
      [...this.levels.values()].map(({ object }) => object),
      this.#serverSeats,
    )
    this.#nominalSum = 0
    for (const level of this.levels.values()) {
      level.limits = limits.get(level.name)!
      this.#nominalSum += level.limits.nominal
      const { nominal, lower } = level.limits
      if (level.isNew) level.currentLimit = nominal - Math.trunc((nominal - lower) / 2)
      level.isNew = false
    }
    this.updateBorrowing()
  }

  #setSchemas(schemas: readonly FlowSchema[]): void {
    const isUsable = ({ spec }: FlowSchema): boolean => {
      const level = this.levels.get(spec.priorityLevelConfiguration.name)
      return level !== undefined && !level.isQuiescing
    }
    this.#schemas = withMandatory(schemas.filter(isUsable), MANDATORY_SCHEMAS)
      .toSorted(byPrecedence)
      .map((schema) => {
        const level = this.levels.get(schema.spec.priorityLevelConfiguration.name)!
        return { schema, level, stats: this.#statsOf(level.name, schema.metadata.name) }
      })
    const used = new Set(this.#schemas.map(({ stats }) => stats))
    // Names that are gone are told until their requests are done.
    for (const [key, stats] of this.#stats)
      if (!used.has(stats) && stats.executing === 0 && stats.waiting === 0) this.#stats.delete(key)
  }

  #statsOf(level: string, schema: string): FlowStats {
    const key = `${level}/${schema}`
    let stats = this.#stats.get(key)
    if (stats === undefined) this.#stats.set(key, (stats = new FlowStats(level, schema)))
    return stats
  }

  /** The first schema that speaks of the request; the last one speaks of all. */
  classify(request: Classified): Flow {
    const found = this.#schemas.find(({ schema }) => matchesFlowSchema(schema, request)) ?? this.#schemas.at(-1)!
    const { schema, level, stats } = found
    const queuing = level.object.spec.limited?.limitResponse?.queuing
    if (queuing === undefined) return { schema, level, stats, distinguisher: '', hand: NO_HAND }
    const { queues = 1, handSize = 1 } = queuing
    if (queues <= 1) return { schema, level, stats, distinguisher: '', hand: ONLY_QUEUE }
    const distinguisher = distinguish(schema, request)
    return {
      schema,
      level,
      stats,
      distinguisher,
      hand: this.#handOf(schema.metadata.name, distinguisher, queues, handSize),
    }
  }

  #handOf(schema: string, distinguisher: string, queues: number, handSize: number): readonly number[] {
    const key = `${schema}\0${distinguisher}`
    let hand = this.#hands.get(key)
    if (hand !== undefined) return hand
    hand = dealHand(hashFlow(schema, distinguisher), queues, handSize)
    if (this.#hands.size >= HANDS_MAX) this.#hands.delete(this.#hands.keys().next().value!)
    this.#hands.set(key, hand)
    return hand
  }

  /** Gives each level what it was seen to want, within its bounds and in fairness to the others. */
  updateBorrowing(): void {
    const demands = [...this.levels.values()].map((level) => ({ level, demand: level.queueSet.demand.endPeriod() }))
    const limited = demands.filter(({ level }) => !level.isExempt)
    let remaining = this.#nominalSum
    for (const { level, demand } of demands) {
      if (!level.isExempt) continue
      level.currentLimit = Math.max(level.limits.lower, demand.highWatermark)
      remaining -= level.currentLimit
    }
    const claims = limited.map(({ level: { limits }, demand }) => {
      const lowerBound = Math.max(limits.lower, Math.min(limits.nominal, demand.highWatermark))
      return { lowerBound, upperBound: limits.upper, target: Math.max(lowerBound, demand.smoothed) }
    })
    const seats = this.#share(
      remaining,
      limited.map(({ level }) => level),
      claims,
    )
    limited.forEach(({ level }, i) => {
      level.currentLimit = seats[i]!
      level.target = claims[i]!.target
    })
    for (const level of this.levels.values()) level.queueSet.configure(queuingOf(level.object), level.currentLimit)
  }

  #share(
    remaining: number,
    levels: readonly PriorityLevel[],
    claims: readonly { readonly lowerBound: number; readonly upperBound: number; readonly target: number }[],
  ): number[] {
    const lowest = levels.reduce((sum, { limits }) => sum + limits.lower, 0)
    const wanted = claims.reduce((sum, { lowerBound }) => sum + lowerBound, 0)
    this.fairFraction = 0
    if (remaining <= lowest) return levels.map(({ limits }) => limits.lower)
    if (remaining <= wanted) {
      const fraction = (remaining - lowest) / (wanted - lowest)
      return levels.map(({ limits }, i) => limits.lower + Math.round((claims[i]!.lowerBound - limits.lower) * fraction))
    }
    const allocation = allocateConcurrency(this.#nominalSum, claims)
    if (allocation === null) return levels.map(({ currentLimit }) => currentLimit)
    this.fairFraction = allocation.fairFraction
    return allocation.seats.map((amount) => Math.round(amount))
  }
}

const NO_HAND: readonly number[] = []
const ONLY_QUEUE: readonly number[] = [0]

function distinguish({ spec }: FlowSchema, { user, info }: Classified): string {
  switch (spec.distinguisherMethod?.type) {
    case 'ByUser':
      return user.name
    case 'ByNamespace':
      return info.namespace
    default:
      return ''
  }
}

function queuingOf({ spec }: PriorityLevelConfiguration): { queues: number; queueLengthLimit: number } {
  if (spec.type === 'Exempt') return { queues: -1, queueLengthLimit: 0 }
  const { queues = 0, queueLengthLimit = 0 } = spec.limited?.limitResponse?.queuing ?? {}
  return { queues, queueLengthLimit }
}

type Named = { readonly metadata: { readonly name: string } }

function withMandatory<T extends Named>(objects: readonly T[], mandatory: readonly T[]): readonly T[] {
  const missing = mandatory.filter(({ metadata }) => !objects.some((object) => object.metadata.name === metadata.name))
  return [...objects, ...missing]
}

/** Equal ones by name. `exempt` and `catch-all` stand first and last by their numbers. */
function byPrecedence(one: FlowSchema, other: FlowSchema): number {
  const difference = (one.spec.matchingPrecedence ?? 0) - (other.spec.matchingPrecedence ?? 0)
  if (difference !== 0) return difference
  return one.metadata.name < other.metadata.name ? -1 : 1
}
