/** Families of metrics whose series are found once and then counted without any look at labels: for what every request touches. */
import type { Counter, Registry } from 'prom-client'

export type Labels = Readonly<Record<string, string>>
type Value = { readonly value: number; readonly labels: Labels; readonly metricName?: string }

/** What prom-client's registry asks of a metric. */
abstract class Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly aggregator = 'sum'

  constructor(registry: Registry, { name, help, type }: Pick<Family, 'name' | 'help' | 'type'>) {
    this.name = name
    this.help = help
    this.type = type
    registry.registerMetric(this as unknown as Counter)
  }

  abstract read(): readonly Value[] | Promise<readonly Value[]>

  async get() {
    const { name, help, type, aggregator } = this
    return { name, help, type, aggregator, values: await this.read() }
  }
}

export class Count {
  value = 0
  readonly labels: Labels
  constructor(labels: Labels) {
    this.labels = labels
  }
  add(amount = 1): void {
    this.value += amount
  }
}

/** Counters, or gauges that go up and down with what they count. */
export class CountFamily extends Family {
  readonly #series: Count[] = []

  constructor(registry: Registry, name: string, help: string, type: 'counter' | 'gauge' = 'counter') {
    super(registry, { name, help, type })
  }

  /** Call it once for each set of labels. */
  series(labels: Labels = {}): Count {
    const count = new Count(labels)
    this.#series.push(count)
    return count
  }

  read(): readonly Value[] {
    return this.#series
  }
}

export class Distribution {
  readonly labels: Labels
  readonly buckets: readonly number[]
  readonly counts: number[]
  sum = 0
  count = 0

  constructor(labels: Labels, buckets: readonly number[]) {
    this.labels = labels
    this.buckets = buckets
    this.counts = buckets.map(() => 0)
  }

  observe(value: number): void {
    this.sum += value
    this.count++
    const position = this.buckets.findIndex((bound) => value <= bound)
    if (position !== -1) this.counts[position]!++
  }
}

export class DistributionFamily extends Family {
  readonly #series: Distribution[] = []
  readonly #buckets: readonly number[]

  constructor(registry: Registry, name: string, help: string, buckets: readonly number[]) {
    super(registry, { name, help, type: 'histogram' })
    this.#buckets = buckets
  }

  /** Call it once for each set of labels. */
  series(labels: Labels = {}): Distribution {
    const distribution = new Distribution(labels, this.#buckets)
    this.#series.push(distribution)
    return distribution
  }

  read(): readonly Value[] {
    return this.#series.flatMap((one) => valuesOf(this.name, one))
  }
}

/** A bucket holds all that is not above its bound. */
function valuesOf(name: string, { labels, buckets, counts, sum, count }: Distribution): Value[] {
  let below = 0
  const bounds = buckets.map((bound, position) => {
    below += counts[position]!
    return { metricName: `${name}_bucket`, labels: { ...labels, le: String(bound) }, value: below }
  })
  return [
    ...bounds,
    { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count },
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ]
}

class ReadFamily extends Family {
  readonly #read: () => readonly Value[] | Promise<readonly Value[]>

  constructor(
    registry: Registry,
    {
      name,
      help,
      type = 'gauge',
    }: { readonly name: string; readonly help: string; readonly type?: 'counter' | 'gauge' },
    read: () => readonly Value[] | Promise<readonly Value[]>,
  ) {
    super(registry, { name, help, type })
    this.#read = read
  }

  read() {
    return this.#read()
  }
}

/** Values that are somebody else's, read when they are asked for. */
export const addReadFamily = (...parts: ConstructorParameters<typeof ReadFamily>): ReadFamily =>
  new ReadFamily(...parts)

/** `count` bounds, each `factor` times the one before. */
export const exponentialBuckets = (start: number, factor: number, count: number): number[] =>
  Array.from({ length: count }, (_, position) => start * factor ** position)
