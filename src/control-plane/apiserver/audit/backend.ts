/** Where audit events go: at once, so that an answer follows its record, or in batches behind the requests. */
import type { Clock, Timer } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import { eventJson, eventLine, type AuditEvent } from './event.ts'
import { isAtLeast } from './policy.ts'

export interface AuditBackend {
  /** False when the event is lost and the request must fail because of it. */
  store(event: AuditEvent): boolean
  /** Resolves when everything is written. */
  close(): Promise<void>
  /** How many events were lost so far, by upstream's name of the part that lost them. */
  readonly losses: ReadonlyMap<string, number>
}

/** Appends text; what it returned from is with the operating system. */
export interface AuditSink {
  /** Throws for what could not be written; later calls try again. */
  write(text: string): void
  close(): Promise<void> | void
}

export type LogBackendOptions = {
  readonly sink: AuditSink
  readonly format: 'json' | 'legacy'
  /** blocking-strict fails requests whose arrival cannot be recorded; batch writes later. */
  readonly mode: 'blocking' | 'blocking-strict' | 'batch'
  readonly batch: { readonly bufferSize: number; readonly maxSize: number; readonly maxWaitMs: number }
  /** Bytes from which an event loses its objects; null for no limit. */
  readonly maxEventBytes: number | null
  readonly clock: Clock
  readonly log: Logger
}

const TRUNCATED = ['audit.k8s.io/truncated', 'true'] as const

export class LogBackend implements AuditBackend {
  readonly #options: LogBackendOptions
  readonly losses = new Map<string, number>()
  #waiting: string[] = []
  #timer: Timer | null = null
  /** The timer is set for now. */
  #isFull = false

  constructor(options: LogBackendOptions) {
    this.#options = options
  }

  store(event: AuditEvent): boolean {
    const { mode, batch } = this.#options
    const text = this.#encode(event)
    if (text === null) return true
    if (mode !== 'batch') return this.#write(text) || mode !== 'blocking-strict'
    if (this.#waiting.length >= batch.bufferSize) this.#lose('buffered', 'audit buffer queue blocked', 1)
    else this.#waiting.push(text)
    this.#flushLater()
    return true
  }

  async close(): Promise<void> {
    this.#flush()
    await this.#options.sink.close()
  }

  /** Null for an event that is too large even without its objects. */
  #encode(event: AuditEvent): string | null {
    const { format, maxEventBytes } = this.#options
    const encode = format === 'json' ? eventJson : eventLine
    const text = `${encode(event)}\n`
    if (maxEventBytes === null || Buffer.byteLength(text) <= maxEventBytes) return text
    const annotations = new Map([...event.annotations, TRUNCATED])
    const shorter = isAtLeast(event.level, 'Request')
      ? `${encode({ ...event, requestObject: null, responseObject: null, annotations })}\n`
      : text
    if (Buffer.byteLength(shorter) <= maxEventBytes) return shorter
    this.#lose('truncate', 'event is too large even after truncating', 1)
    return null
  }

  /** A full batch goes as soon as the request is through, whatever the timer says. */
  #flushLater(): void {
    const { batch, clock } = this.#options
    const isFull = this.#waiting.length >= batch.maxSize
    if (this.#isFull || (this.#timer !== null && !isFull)) return
    this.#timer?.cancel()
    this.#isFull = isFull
    this.#timer = clock.setTimer(isFull ? 0 : batch.maxWaitMs, () => this.#flush())
  }

  #flush(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#isFull = false
    const waiting = this.#waiting
    this.#waiting = []
    const size = Math.max(1, this.#options.batch.maxSize)
    for (let start = 0; start < waiting.length; start += size) {
      const batch = waiting.slice(start, start + size)
      this.#write(batch.join(''), batch.length)
    }
  }

  #write(text: string, count = 1): boolean {
    try {
      this.#options.sink.write(text)
    } catch (error) {
      this.#lose('log', error instanceof Error ? error.message : String(error), count)
      return false
    }
    return true
  }

  #lose(plugin: string, reason: string, count: number): void {
    this.losses.set(plugin, (this.losses.get(plugin) ?? 0) + count)
    this.#options.log.error('audit events are lost', { count, reason })
  }
}
