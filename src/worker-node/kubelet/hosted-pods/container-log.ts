/** Writes what a hosted container logs the way a container runtime does, so that `kubectl logs` reads it like any other. */
import { open, type FileHandle } from 'node:fs/promises'
import type { Clock, Timer } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'

export type ContainerLogOptions = {
  readonly path: string
  readonly clock: Clock
  /** Hears each line, too: the log of the process itself. */
  readonly also: Logger
}

type Level = 'debug' | 'info' | 'warn' | 'error'

/** Until a file that could not be written (a full disk, say) is tried again. */
const RETRY_MS = 1000
/** What is kept for it meanwhile; lines beyond are counted and told of. */
const PENDING_BYTES_MAX = 2 ** 20

export class ContainerLog {
  readonly #options: ContainerLogOptions
  readonly logger: Logger
  /** Not in the file yet. */
  #pending = Buffer.alloc(0)
  #linesLost = 0
  #file: FileHandle | null = null
  #isStale = false
  #isFailing = false
  #isClosed = false
  #writing: Promise<void> | null = null
  #retry: Timer | null = null

  constructor(options: ContainerLogOptions) {
    this.#options = options
    this.logger = this.#loggerWith({}, options.also)
  }

  /** The file was put aside: later lines go into a new one. */
  reopen(): void {
    this.#isStale = true
  }

  /** Resolves when all is written that can be. */
  async close(): Promise<void> {
    this.#isClosed = true
    while (this.#writing) await this.#writing
    this.#retry?.cancel()
    if (this.#isFailing) await this.#flush()
    await this.#closeFile()
  }

  #loggerWith(fields: Record<string, unknown>, also: Logger): Logger {
    const write =
      (level: Level) =>
      (message: string, more: Record<string, unknown> = {}): void => {
        also[level](message, more)
        // The process' own level decides about debug lines; a container's log has none.
        if (level !== 'debug') this.#write(level, formatEntry(level, message, { ...fields, ...more }))
      }
    return {
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      child: (more) => this.#loggerWith({ ...fields, ...more }, also.child(more)),
    }
  }

  #write(level: Level, text: string): void {
    const time = new Date(this.#options.clock.now()).toISOString().replace('Z', '000000Z')
    const stream = level === 'error' ? 'stderr' : 'stdout'
    const lines = text.split('\n').map((line) => `${time} ${stream} F ${line}\n`)
    const bytes = Buffer.from(lines.join(''))
    if (this.#pending.length + bytes.length > PENDING_BYTES_MAX) {
      this.#linesLost += lines.length
      return
    }
    this.#pending = Buffer.concat([this.#pending, bytes])
    if (!this.#isFailing) void this.#flush()
  }

  #flush(): Promise<void> {
    this.#writing ??= this.#drain().finally(() => {
      this.#writing = null
      // Lines of just now, between the last look and here.
      if (this.#pending.length > 0 && !this.#isFailing) void this.#flush()
    })
    return this.#writing
  }

  async #drain(): Promise<void> {
    const { path, clock, also } = this.#options
    try {
      while (this.#pending.length > 0) {
        if (this.#isStale) await this.#closeFile()
        this.#file ??= await open(path, 'a', 0o640)
        const { bytesWritten } = await this.#file.write(this.#pending)
        this.#pending = this.#pending.subarray(bytesWritten)
      }
      this.#isFailing = false
    } catch (error) {
      if (!this.#isFailing) also.warn('container log could not be written', { path, error: String(error) })
      this.#isFailing = true
      this.#isStale = true
      if (this.#isClosed) return
      this.#retry = clock.setTimer(RETRY_MS, () => {
        this.#retry = null
        void this.#flush()
      })
    }
    if (!this.#isFailing) this.#tellOfLostLines()
  }

  #tellOfLostLines(): void {
    if (this.#linesLost === 0) return
    const lines = this.#linesLost
    this.#linesLost = 0
    this.logger.warn('lines of this log were lost while it could not be written', { lines })
  }

  async #closeFile(): Promise<void> {
    this.#isStale = false
    const file = this.#file
    this.#file = null
    await file?.close()
  }
}

/** `INFO listening port=53 addresses=["10.96.0.10"]`. */
export function formatEntry(level: Level, message: string, fields: Record<string, unknown>): string {
  const pairs = Object.entries(fields).map(([key, value]) => `${key}=${formatValue(value)}`)
  return [level.toUpperCase(), message, ...pairs].join(' ')
}

function formatValue(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : (JSON.stringify(value) ?? 'undefined')
}
