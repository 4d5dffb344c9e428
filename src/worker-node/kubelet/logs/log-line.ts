/** One line of a container's log as CRI writes it: `time stream flags text`. */

export type LogLine = {
  /** RFC 3339 with nanoseconds, as it stands in the file. */
  readonly time: Buffer
  readonly stream: 'stdout' | 'stderr'
  /** A piece of a longer line: the next one continues it. */
  readonly isPartial: boolean
  readonly text: Buffer
}

const SPACE = 0x20

/** `line` is without its line break. Null for what is no log line (a file that someone else wrote into). */
export function parseLogLine(line: Buffer): LogLine | null {
  const first = line.indexOf(SPACE)
  const second = line.indexOf(SPACE, first + 1)
  if (first < 0 || second < 0) return null
  const third = line.indexOf(SPACE, second + 1)
  const flagsEnd = third < 0 ? line.length : third
  const stream = line.toString('latin1', first + 1, second)
  if (stream !== 'stdout' && stream !== 'stderr') return null
  const flags = line.toString('latin1', second + 1, flagsEnd).split(':')
  return {
    time: line.subarray(0, first),
    stream,
    isPartial: flags[0] === 'P',
    text: third < 0 ? Buffer.alloc(0) : line.subarray(third + 1),
  }
}
