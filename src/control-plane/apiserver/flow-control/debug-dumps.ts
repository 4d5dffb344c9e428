/** Shows what the queues hold, as upstream's /debug/api_priority_and_fairness: a row for each level, queue or request. */
import type { Clock } from '#base/clock.ts'
import type { PathHandler } from '../routes.ts'
import type { FlowController, PriorityLevel } from './flow-controller.ts'
import type { Ticket } from './ticket.ts'

const PREFIX = '/debug/api_priority_and_fairness/dump_'
/** Upstream's tab stops: columns are at least this wide. */
const WIDTH_MIN = 8

type Row = readonly (string | number | boolean)[]

export function createDebugDumps(controller: FlowController, clock: Clock): PathHandler {
  const dumps: Readonly<Record<string, (query: URLSearchParams) => readonly Row[]>> = {
    priority_levels: () => levelRows(controller),
    queues: () => queueRows(controller),
    requests: (query) => requestRows(controller, clock, Boolean(query.get('includeRequestDetails'))),
  }
  const handler: PathHandler = Object.assign(
    async ({ path, query }: Parameters<PathHandler>[0]) => {
      const rows = dumps[path.slice(PREFIX.length)]!(query)
      const content = tabulate(rows)
      return { code: 200, body: { form: 'raw' as const, contentType: 'text/plain; charset=utf-8', content } }
    },
    { matches: (path: string) => path.startsWith(PREFIX) && dumps[path.slice(PREFIX.length)] !== undefined },
  )
  return handler
}

const sortedLevels = ({ levels }: FlowController): PriorityLevel[] =>
  [...levels.values()].toSorted((one, other) => (one.name < other.name ? -1 : 1))

const LEVEL_COLUMNS = [
  'PriorityLevelName',
  'ActiveQueues',
  'IsIdle',
  'IsQuiescing',
  'WaitingRequests',
  'ExecutingRequests',
  'DispatchedRequests',
  'RejectedRequests',
  'TimedoutRequests',
  'CancelledRequests',
]

function levelRows(controller: FlowController): Row[] {
  const rows = sortedLevels(controller).map(({ name, isQuiescing, queueSet }) => {
    const active = queueSet.queues.filter(({ waiting }) => waiting.length > 0).length
    const { isIdle, waiting, executing, dispatched, rejected, cancelled } = queueSet
    return [name, active, isIdle, isQuiescing, waiting, executing, dispatched, rejected, 0, cancelled]
  })
  return [LEVEL_COLUMNS, ...rows]
}

const QUEUE_COLUMNS = [
  'PriorityLevelName',
  'Index',
  'PendingRequests',
  'ExecutingRequests',
  'SeatsInUse',
  'NextDispatchR',
  'InitialSeatsSum',
  'MaxSeatsSum',
  'TotalWorkSum',
]

function queueRows(controller: FlowController): Row[] {
  const rows = sortedLevels(controller).flatMap(({ name, queueSet }) =>
    queueSet.queues.map(({ index, waiting, running, seatsInUse, nextDispatchR, workWaiting }) => {
      const initial = waiting.reduce((sum, { arrival }) => sum + arrival.work.initialSeats, 0)
      const most = waiting.reduce((sum, { seats }) => sum + seats, 0)
      const [next, work] = [seatSeconds(nextDispatchR), seatSeconds(workWaiting)]
      return [name, index, waiting.length, running.size, seatsInUse, next, initial, most, work]
    }),
  )
  return [QUEUE_COLUMNS, ...rows]
}

const seatSeconds = (value: number): string => `${value.toFixed(8)}ss`

const REQUEST_COLUMNS = [
  'PriorityLevelName',
  'FlowSchemaName',
  'QueueIndex',
  'RequestIndexInQueue',
  'FlowDistingsher',
  'ArriveTime',
  'InitialSeats',
  'FinalSeats',
  'AdditionalLatency',
  'StartTime',
]
const DETAIL_COLUMNS = ['UserName', 'Verb', 'APIPath', 'Namespace', 'Name', 'APIVersion', 'Resource', 'SubResource']

function requestRows(controller: FlowController, clock: Clock, withDetails: boolean): Row[] {
  const wallOffset = clock.now() - clock.monotonic()
  const timeOf = (ms: number): string => (ms === 0 ? '0001-01-01T00:00:00Z' : new Date(wallOffset + ms).toISOString())
  const rowOf = (level: string, queue: number, position: number, ticket: Ticket): Row => {
    const { work, stats, distinguisher } = ticket.arrival
    const { initialSeats, finalSeats, additionalLatencyMs } = work
    const latency = additionalLatencyMs === 0 ? '0s' : `${additionalLatencyMs}ms`
    const times = [timeOf(ticket.arrivedAtMs), timeOf(ticket.startedAtMs)] as const
    const row = [
      level,
      stats.schema,
      queue,
      position,
      distinguisher,
      times[0],
      initialSeats,
      finalSeats,
      latency,
      times[1],
    ]
    return withDetails ? [...row, ...detailsOf(ticket)] : row
  }
  const rows = sortedLevels(controller).flatMap(({ name, queueSet }) => [
    ...queueSet.queues.flatMap(({ index, waiting, running }) => [
      ...waiting.map((ticket, position) => rowOf(name, index, position, ticket)),
      ...[...running].map((ticket) => rowOf(name, index, -1, ticket)),
    ]),
    ...[...queueSet.unqueued].map((ticket) => rowOf(name, -1, -1, ticket)),
  ])
  return [withDetails ? [...REQUEST_COLUMNS, ...DETAIL_COLUMNS] : REQUEST_COLUMNS, ...rows]
}

function detailsOf({ arrival: { request } }: Ticket): string[] {
  const { user, info, path } = request
  const version = info.group === '' ? info.version : `${info.group}/${info.version}`
  return [user.name, info.verb, path, info.namespace, info.name, version, info.resource, info.subresource]
}

/** Go's tab writer: all cells but the last of a row are padded to their column. */
function tabulate(rows: readonly Row[]): string {
  const cells = rows.map((row) => row.map((cell, i) => (i < row.length - 1 ? `${cell},` : String(cell))))
  const widths = cells[0]!.map((_, i) => Math.max(WIDTH_MIN, ...cells.map((row) => (row[i]?.length ?? 0) + 1)))
  return cells
    .map((row) => `${row.map((cell, i) => (i < row.length - 1 ? cell.padEnd(widths[i]!) : cell)).join('')}\n`)
    .join('')
}
