/** The metrics of priority and fairness, under upstream's names: read from the queues when they are asked for. */
import { Counter, Gauge, type Metric, type Registry } from 'prom-client'
import type { FlowController, PriorityLevel } from './flow-controller.ts'
import type { Distribution, FlowStats } from './flow-stats.ts'

const PREFIX = 'apiserver_flowcontrol_'
const FLOW_LABELS = ['priority_level', 'flow_schema']

export function registerFlowMetrics(registry: Registry, controller: FlowController): void {
  for (const [name, help, valueOf] of FLOW_GAUGES)
    registerGauge(registry, { name, help, labels: FLOW_LABELS }, () =>
      [...controller.allStats()].map((stats) => [labelsOf(stats), valueOf(stats)]),
    )
  for (const [name, help, valueOf] of LEVEL_GAUGES)
    registerGauge(registry, { name, help, labels: ['priority_level'] }, () =>
      [...controller.levels.values()].map((level) => [{ priority_level: level.name }, valueOf(level)]),
    )
  const fraction = "Fair fraction of server's concurrency to allocate to each priority level that can use it"
  registerGauge(registry, { name: 'seat_fair_frac', help: fraction, labels: [] }, () => [[{}, controller.fairFraction]])
  registerCounters(registry, controller)
  for (const [name, help, rowsOf] of DISTRIBUTIONS)
    registerHistogram(registry, name, help, () =>
      [...controller.allStats()].flatMap((stats) =>
        rowsOf(stats).map(([extra, distribution]) => [{ ...labelsOf(stats), ...extra }, distribution] as const),
      ),
    )
}

type Labels = Record<string, string>

const labelsOf = ({ level, schema }: FlowStats): Labels => ({ priority_level: level, flow_schema: schema })

const FLOW_GAUGES: readonly (readonly [string, string, (stats: FlowStats) => number])[] = [
  [
    'current_inqueue_requests',
    'Number of requests currently pending in queues of the API Priority and Fairness subsystem',
    ({ waiting }) => waiting,
  ],
  [
    'current_inqueue_seats',
    'Number of seats currently pending in queues of the API Priority and Fairness subsystem',
    ({ seatsWaiting }) => seatsWaiting,
  ],
  [
    'current_executing_requests',
    'Number of requests in initial (for a WATCH) or any (for a non-WATCH) execution stage in the API Priority and Fairness subsystem',
    ({ executing }) => executing,
  ],
  [
    'current_executing_seats',
    'Concurrency (number of seats) occupied by the currently executing (initial stage for a WATCH, any stage otherwise) requests in the API Priority and Fairness subsystem',
    ({ seatsInUse }) => seatsInUse,
  ],
]

const LEVEL_GAUGES: readonly (readonly [string, string, (level: PriorityLevel) => number])[] = [
  [
    'nominal_limit_seats',
    'Nominal number of execution seats configured for each priority level',
    ({ limits }) => limits.nominal,
  ],
  [
    'lower_limit_seats',
    'Configured lower bound on number of execution seats available to each priority level',
    ({ limits }) => limits.lower,
  ],
  [
    'upper_limit_seats',
    'Configured upper bound on number of execution seats available to each priority level',
    ({ limits }) => limits.upper,
  ],
  [
    'current_limit_seats',
    'current derived number of execution seats available to each priority level',
    ({ currentLimit }) => currentLimit,
  ],
  ['target_seats', 'Seat allocation targets', ({ target }) => target],
  ['current_r', 'R(time of last change)', ({ queueSet }) => queueSet.currentR],
  [
    'demand_seats_high_watermark',
    'High watermark, over last adjustment period, of demand_seats',
    ({ queueSet }) => queueSet.demand.stats.highWatermark,
  ],
  [
    'demand_seats_average',
    'Time-weighted average, over last adjustment period, of demand_seats',
    ({ queueSet }) => queueSet.demand.stats.average,
  ],
  [
    'demand_seats_stdev',
    'Time-weighted standard deviation, over last adjustment period, of demand_seats',
    ({ queueSet }) => queueSet.demand.stats.deviation,
  ],
  ['demand_seats_smoothed', 'Smoothed seat demands', ({ queueSet }) => queueSet.demand.stats.smoothed],
]

type Rows = readonly (readonly [Labels, Distribution])[]

const DISTRIBUTIONS: readonly (readonly [string, string, (stats: FlowStats) => Rows])[] = [
  [
    'request_queue_length_after_enqueue',
    'Length of queue in the API Priority and Fairness subsystem, as seen by each request after it is enqueued',
    ({ queueLengths }) => [[{}, queueLengths]],
  ],
  [
    'request_wait_duration_seconds',
    'Length of time a request spent waiting in its queue',
    ({ waitSeconds }) => [
      [{ execute: 'true' }, waitSeconds.true],
      [{ execute: 'false' }, waitSeconds.false],
    ],
  ],
  [
    'request_execution_seconds',
    'Duration of initial stage (for a WATCH) or any (for a non-WATCH) stage of request execution in the API Priority and Fairness subsystem',
    ({ executionSeconds }) => [
      [{ type: 'regular' }, executionSeconds.regular],
      [{ type: 'watch' }, executionSeconds.watch],
    ],
  ],
  [
    'work_estimated_seats',
    'Number of estimated seats (maximum of initial and final seats) associated with requests in API Priority and Fairness',
    ({ estimatedSeats }) => [[{}, estimatedSeats]],
  ],
  [
    'watch_count_samples',
    'count of watchers for mutating requests in API Priority and Fairness',
    ({ watchCounts }) => [[{}, watchCounts]],
  ],
]

type Named = { readonly name: string; readonly help: string; readonly labels: readonly string[] }

function registerGauge(
  registry: Registry,
  { name, help, labels }: Named,
  read: () => readonly (readonly [Labels, number])[],
): void {
  const gauge = new Gauge({
    name: PREFIX + name,
    help,
    labelNames: [...labels],
    registers: [],
    collect() {
      this.reset()
      for (const [values, value] of read()) this.set(values, value)
    },
  })
  registry.registerMetric(gauge)
}

function registerCounters(registry: Registry, controller: FlowController): void {
  const register = (name: string, help: string, read: (stats: FlowStats) => readonly (readonly [Labels, number])[]) =>
    new Counter({
      name: PREFIX + name,
      help,
      labelNames: [...FLOW_LABELS, 'reason'],
      registers: [registry],
      collect() {
        this.reset()
        for (const stats of controller.allStats())
          for (const [extra, value] of read(stats)) if (value > 0) this.inc({ ...labelsOf(stats), ...extra }, value)
      },
    })
  const subsystem = 'by API Priority and Fairness subsystem'
  register('dispatched_requests_total', `Number of requests executed ${subsystem}`, ({ dispatched }) => [
    [{}, dispatched],
  ])
  register('rejected_requests_total', `Number of requests rejected ${subsystem}`, ({ rejected }) =>
    [...rejected].map(([reason, count]) => [{ reason }, count]),
  )
  register(
    'request_dispatch_no_accommodation_total',
    'Number of times a dispatch attempt resulted in a non accommodation due to lack of available seats',
    ({ withoutAccommodation }) => [[{}, withoutAccommodation]],
  )
}

/** A histogram of the client library hashes its labels with every observation: these are counted where they happen. */
function registerHistogram(registry: Registry, shortName: string, help: string, read: () => Rows): void {
  const name = PREFIX + shortName
  const get = async () => ({
    name,
    help,
    type: 'histogram',
    aggregator: 'sum',
    values: read().flatMap(([labels, distribution]) => valuesOf(name, labels, distribution)),
  })
  registry.registerMetric({ name, help, get, reset: () => {} } as unknown as Metric)
}

function valuesOf(name: string, labels: Labels, { bounds, counts, sum }: Distribution) {
  let total = 0
  const buckets = counts.map((count, i) => {
    total += count
    const le = i < bounds.length ? String(bounds[i]) : '+Inf'
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: total }
  })
  // Nothing has been observed: upstream has no such series either.
  if (total === 0) return []
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: total },
  ]
}
