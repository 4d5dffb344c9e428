/** Writes what a hosted container logs the way a container runtime does, so that `kubectl logs` reads it like any other. */
import { createWriteStream, type WriteStream } from 'node:fs'
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'

export type ContainerLogOptions = {
  readonly path: string
  readonly clock: Clock
  /** Hears each line, too: the log of the process itself. */
  readonly also: Logger
}

type Level = 'debug' | 'info' | 'warn' | 'error'

export class ContainerLog {
  readonly #options: ContainerLogOptions
  #stream: WriteStream
  readonly logger: Logger

  constructor(options: ContainerLogOptions) {
    this.#options = options
    this.#stream = this.#open()
    this.logger = this.#loggerWith({}, options.also)
  }

  /** The file was put aside: later lines go into a new one. */
  reopen(): void {
    this.#stream.end()
    this.#stream = this.#open()
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#stream.end(resolve))
  }

  #open(): WriteStream {
    const stream = createWriteStream(this.#options.path, { flags: 'a', mode: 0o640 })
    stream.on('error', (error) =>
      this.#options.also.warn('container log could not be written', { error: String(error) }),
    )
    return stream
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
    for (const line of text.split('\n')) this.#stream.write(`${time} ${stream} F ${line}\n`)
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
