/** Reads a container's log for `kubectl logs`: the tail, since a time, following through rotations. */
import { open, stat, type FileHandle } from 'node:fs/promises'
import type { Clock } from '#base/clock.ts'
import { parseLogLine } from './log-line.ts'

export type LogOptions = {
  readonly follow: boolean
  /** Lines from the end; undefined for all. */
  readonly tailLines?: number
  /** Only what is younger; undefined for all. */
  readonly sinceMs?: number
  readonly timestamps: boolean
  readonly limitBytes?: number
  readonly stream: 'All' | 'Stdout' | 'Stderr'
}

export type LogSource = {
  readonly path: string
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Following ends with the container. */
  isRunning(): Promise<boolean>
}

const CHUNK_BYTES = 64 * 1024
/** How soon a follower sees a new line. */
const POLL_MS = 100
/** The runtime is asked far less often than the file. */
const POLLS_PER_STATE_CHECK = 5
const NEWLINE = 0x0a

export async function* readLog(source: LogSource, options: LogOptions): AsyncGenerator<Buffer, void, undefined> {
  let left = options.limitBytes ?? Infinity
  for await (const lines of readChunks(source, options)) {
    const output = Buffer.concat(lines.map((line) => render(line, options)))
    if (output.length === 0) continue
    if (output.length >= left) {
      yield output.subarray(0, left)
      return
    }
    left -= output.length
    yield output
  }
}

function render(raw: Buffer, { timestamps, sinceMs, stream }: LogOptions): Buffer {
  const line = parseLogLine(raw)
  if (!line) return Buffer.alloc(0)
  if (stream !== 'All' && stream.toLowerCase() !== line.stream) return Buffer.alloc(0)
  if (sinceMs !== undefined && Date.parse(line.time.toString('latin1')) < sinceMs) return Buffer.alloc(0)
  const parts = timestamps ? [line.time, Buffer.from(' '), line.text] : [line.text]
  return Buffer.concat(line.isPartial ? parts : [...parts, Buffer.from('\n')])
}

/** Batches of whole lines. */
async function* readChunks(source: LogSource, options: LogOptions): AsyncGenerator<Buffer[], void, undefined> {
  let file = await open(source.path, 'r')
  try {
    let position = options.tailLines === undefined ? 0 : await findTail(file, options.tailLines)
    let rest: Buffer = Buffer.alloc(0)
    const buffer = Buffer.alloc(CHUNK_BYTES)
    for (let idlePolls = 0; !source.signal.aborted;) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, position)
      if (bytesRead > 0) {
        position += bytesRead
        idlePolls = 0
        const { lines, tail } = splitLines(Buffer.concat([rest, buffer.subarray(0, bytesRead)]))
        rest = tail
        yield lines
        continue
      }
      if (!options.follow) return
      const replaced = await reopenIfRotated(source.path, file)
      if (replaced) {
        await file.close()
        ;[file, position, rest] = [replaced, 0, Buffer.alloc(0)]
        continue
      }
      const isOver = idlePolls % POLLS_PER_STATE_CHECK === POLLS_PER_STATE_CHECK - 1 && !(await source.isRunning())
      // What was written before the container's end is read before following ends.
      if (isOver && (await file.stat()).size === position) return
      idlePolls++
      await source.clock.sleep(POLL_MS, source.signal).catch(() => {}) // Aborted: the loop ends.
    }
  } finally {
    await file.close()
  }
}

function splitLines(buffer: Buffer): { readonly lines: Buffer[]; readonly tail: Buffer } {
  const lines: Buffer[] = []
  let start = 0
  for (let end = buffer.indexOf(NEWLINE); end >= 0; end = buffer.indexOf(NEWLINE, start)) {
    lines.push(Buffer.from(buffer.subarray(start, end)))
    start = end + 1
  }
  return { lines, tail: Buffer.from(buffer.subarray(start)) }
}

/** Offset at which the last `count` lines begin. */
async function findTail(file: FileHandle, count: number): Promise<number> {
  const { size } = await file.stat()
  if (count === 0) return size
  const buffer = Buffer.alloc(CHUNK_BYTES)
  let newlines = 0
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - CHUNK_BYTES)
    await file.read(buffer, 0, end - start, start)
    for (let index = end - start - 1; index >= 0; index--) {
      // The break that ends the last line is not the one before it.
      if (buffer[index] === NEWLINE && start + index !== size - 1 && ++newlines === count) return start + index + 1
    }
    end = start
  }
  return 0
}

/** After a rotation the path leads to another file. */
async function reopenIfRotated(path: string, file: FileHandle): Promise<FileHandle | null> {
  const [now, opened] = await Promise.all([stat(path).catch(() => null), file.stat()])
  if (!now || now.ino === opened.ino) return null
  return await open(path, 'r').catch(() => null)
}
