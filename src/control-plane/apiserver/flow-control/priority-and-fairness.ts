/** Lets a request wait until its priority level has seats for it, or refuses it: the stage over the queues. */
import type { Clock } from '#base/clock.ts'
import { tooManyRequests } from '../plain-refusal.ts'
import { isLongRunning } from '../request-info.ts'
import { timeoutOf } from '../request-timeout.ts'
import type { ApiRequest, Stage } from '../request.ts'
import type { Flow, FlowController } from './flow-controller.ts'
import type { Ticket } from './ticket.ts'
import { estimateWork, type RequestLoad } from './work-estimate.ts'

export type RunningCounts = {
  readonly executing: { readOnly: number; mutating: number }
  readonly waiting: { readOnly: number; mutating: number }
}

export type PriorityAndFairnessOptions = {
  readonly controller: FlowController
  readonly clock: Clock
  readonly load: RequestLoad
  readonly requestTimeoutMs: number
  /** Kept current for metrics. */
  readonly counts: RunningCounts
}

const READ_VERBS = new Set(['get', 'list', 'watch'])
const MUTATING_VERBS = new Set(['create', 'update', 'patch', 'delete'])
/** A quarter of its time a request may wait, the rest is for its work. */
const WAIT_PART = 4

export function createPriorityAndFairnessStage(options: PriorityAndFairnessOptions): Stage {
  const { controller, clock, counts } = options
  return async (request, next) => {
    const { info } = request
    const isWatch = info.verb === 'watch'
    if (!isWatch && isLongRunning(request)) return next(request)
    const flow = controller.classify(request)
    nameFlow(request, flow)
    const ticket = enter(options, request, flow)
    if (ticket === null) throw tooManyRequests(flow.level.dropped.record())
    const kind = READ_VERBS.has(info.verb) ? 'readOnly' : 'mutating'
    if (ticket.state === 'waiting') {
      counts.waiting[kind]++
      const isGranted = await flow.level.queueSet.granted(ticket, request.signal)
      counts.waiting[kind]--
      if (!isGranted) {
        flow.stats.waitSeconds.false.observe((clock.monotonic() - ticket.arrivedAtMs) / 1000)
        throw tooManyRequests(flow.level.dropped.record())
      }
    }
    if (!flow.level.isExempt) flow.stats.waitSeconds.true.observe((ticket.startedAtMs - ticket.arrivedAtMs) / 1000)
    counts.executing[kind]++
    try {
      // Of a watch only its beginning counts: `next` answers when it is open.
      return await next(request)
    } finally {
      counts.executing[kind]--
      const took = (clock.monotonic() - ticket.startedAtMs) / 1000
      flow.stats.executionSeconds[isWatch ? 'watch' : 'regular'].observe(took)
      flow.level.queueSet.finish(ticket)
    }
  }
}

function enter({ load, requestTimeoutMs }: PriorityAndFairnessOptions, request: ApiRequest, flow: Flow): Ticket | null {
  const { level, hand, stats, distinguisher } = flow
  const work = estimateWork(request, load, level.limits.requestMax)
  stats.estimatedSeats.observe(Math.max(work.initialSeats, work.finalSeats))
  if (MUTATING_VERBS.has(request.info.verb)) stats.watchCounts.observe(load.watcherCount(request.info))
  const ticket = level.queueSet.start({
    work,
    hand,
    stats,
    distinguisher,
    waitLimitMs: waitLimitOf(request, requestTimeoutMs),
    request,
  })
  if (ticket === null && !level.isExempt) stats.waitSeconds.false.observe(0)
  return ticket
}

function waitLimitOf({ info, query }: ApiRequest, longestMs: number): number {
  const timeout = info.verb === 'watch' ? null : query.get('timeout')
  return Math.min(timeoutOf(timeout, longestMs), longestMs) / WAIT_PART
}

/** Every answer tells who decided about the request: also a refusal. */
function nameFlow({ answerHeaders }: ApiRequest, { schema, level }: Flow): void {
  if (answerHeaders === undefined) return
  answerHeaders['X-Kubernetes-Pf-Flowschema-Uid'] = schema.metadata.uid ?? ''
  answerHeaders['X-Kubernetes-Pf-Prioritylevel-Uid'] = level.object.metadata.uid ?? ''
}
