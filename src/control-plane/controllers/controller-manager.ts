/** Runs all controllers of the list over one client: their watches, their queues and their workers. */
import { untilAborted } from '#base/until-signal.ts'
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { RandomSource } from '#base/random.ts'
import type { Client } from '#client/client.ts'
import type { EventBroadcaster } from '#client/event-recorder.ts'
import type { InformerFactory } from '#client/informer.ts'
import { isNamespaceTerminating } from '#client/namespace-terminating.ts'
import { WorkQueue } from '#client/work-queue.ts'
import { StatusError } from '#machinery/status-error.ts'
import { TerminalError, type Controller, type ControllerDefinition, type ControllerOptions } from './controller.ts'
import { CONTROLLERS } from './index.ts'

export type { ControllerOptions } from './controller.ts'

export type ControllerManagerOptions = {
  readonly client: Client
  readonly informers: InformerFactory
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
  readonly events: EventBroadcaster
  readonly signal: AbortSignal
  readonly options: ControllerOptions
  /** All of index.ts when absent. */
  readonly controllers?: readonly ControllerDefinition[]
}

/** Ends when `signal` aborts and every worker has finished its key. */
export async function runControllers(options: ControllerManagerOptions): Promise<void> {
  const { clock, log, informers, signal } = options
  const definitions = selectControllers(options.controllers ?? CONTROLLERS, options.options.controllers ?? ['*'])
  const running = definitions.map((definition) => {
    const controller = definition.create({
      ...options,
      log: log.child({ controller: definition.name }),
      events: options.events.recorderOf(definition.eventSource),
    })
    const queue = new WorkQueue(clock)
    controller.watch((key, afterMs = 0) => queue.addAfter(key, afterMs))
    return { controller, queue }
  })
  informers.start(signal)
  const aborted = untilAborted(signal)
  await Promise.race([informers.synced(), aborted])
  const workers = running.flatMap(({ controller, queue }) =>
    Array.from({ length: controller.workers }, () =>
      work(controller, queue, log.child({ controller: controller.name }), signal),
    ),
  )
  await aborted
  for (const { queue } of running) queue.close()
  await Promise.all(workers)
}

/** `*` turns on all that are on by default, `name` one more, `-name` takes one away. Throws for a name nobody has. */
export function selectControllers(
  definitions: readonly ControllerDefinition[],
  names: readonly string[],
): ControllerDefinition[] {
  const known = new Set<string>()
  for (const { name } of definitions) {
    if (known.has(name)) throw new Error(`controller "${name}" is defined twice`)
    known.add(name)
  }
  for (const name of names)
    if (name !== '*' && !known.has(name.replace(/^-/, '')))
      throw new Error(`"${name.replace(/^-/, '')}" is not in the list of known controllers`)
  return definitions.filter(({ name }) => names.includes(name) || (names.includes('*') && !names.includes(`-${name}`)))
}

async function work(controller: Controller, queue: WorkQueue, log: Logger, signal: AbortSignal): Promise<void> {
  for (let key = await queue.take(); key !== null; key = await queue.take()) {
    if (signal.aborted) return
    try {
      const result = await controller.reconcile(key, signal)
      queue.forget(key)
      if (result.requeueAfterMs !== undefined) queue.addAfter(key, result.requeueAfterMs)
    } catch (error) {
      if (signal.aborted) return
      handleFailure(error, { queue, key, log })
    } finally {
      queue.done(key)
    }
  }
}

function handleFailure(error: unknown, { queue, key, log }: { queue: WorkQueue; key: string; log: Logger }): void {
  if (error instanceof TerminalError) {
    queue.forget(key)
    log.warn('reconcile failed for good', { key, error: error.message })
    return
  }
  if (isNamespaceTerminating(error)) {
    queue.forget(key)
    log.debug('the namespace is being deleted', { key, error: String(error) })
    return
  }
  queue.addRateLimited(key)
  // A lost race is ordinary: the newer object is on its way to the informer.
  const isRace = error instanceof StatusError && (error.reason === 'Conflict' || error.reason === 'NotFound')
  const fields = { key, error: String(error), ...(error instanceof StatusError ? {} : { stack: stackOf(error) }) }
  if (isRace) log.debug('reconcile lost a race', fields)
  else log.warn('reconcile failed', fields)
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? '') : ''
}
