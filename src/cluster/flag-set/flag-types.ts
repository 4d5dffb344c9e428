/** The types of flags that components have: each makes a Flag out of its purpose and its default. */
import { isIP } from 'node:net'
import { durationProblem, formatDuration, parseDuration } from '#base/duration.ts'
import type { Flag } from './flag.ts'
import { parseFloat64, parseInteger, parseTruth, refusal } from './go-numbers.ts'

export function text(help: string, initial = ''): Flag<string> {
  return { type: 'string', help, initial, parse: (value) => value, print: (value) => value }
}

/** One out of a fixed set; what is not in it is told by `problem`. */
export function choice(help: string, initial: string, check: (value: string) => void): Flag<string> {
  const parse = (value: string): string => {
    check(value)
    return value
  }
  return { ...text(help, initial), parse }
}

export function bool(help: string, initial = false): Flag<boolean> {
  return { type: '', help, initial, implied: 'true', parse: parseTruth, print: String }
}

export function int(help: string, initial = 0): Flag<number> {
  return { type: 'int', help, initial, parse: (value) => parseInteger(value), print: String }
}

export function float(help: string, type: 'float' | 'float32' = 'float', initial = 0): Flag<number> {
  return { type, help, initial, parse: parseFloat64, print: String }
}

/** In milliseconds. */
export function duration(help: string, initialMs = 0): Flag<number> {
  const parse = (value: string): number => {
    const ms = parseDuration(value)
    if (ms === null) throw new Error(durationProblem(value))
    return ms
  }
  return { type: 'duration', help, initial: initialMs, parse, print: formatDuration }
}

/** Empty for none. */
export function ip(help: string, initial = ''): Flag<string> {
  const parse = (value: string): string => {
    if (value !== '' && isIP(value) === 0) throw new Error(`failed to parse IP: ${JSON.stringify(value)}`)
    return value
  }
  return { type: 'ip', help, initial, parse, print: (value) => (value === '' ? '<nil>' : value) }
}

const printList = (values: readonly string[]): string => `[${values.join(',')}]`

/** Values with commas between them; each time the flag is given adds to them. */
export function strings(help: string, initial: readonly string[] = []): Flag<readonly string[]> {
  const parse = (value: string, before: readonly string[] | undefined): string[] => [
    ...(before ?? []),
    ...splitCommas(value),
  ]
  return { type: 'strings', help, initial, parse, print: printList }
}

/** One value each time the flag is given. */
export function stringArray(help: string): Flag<readonly string[]> {
  const parse = (value: string, before: readonly string[] | undefined): string[] => [...(before ?? []), value]
  return { type: 'stringArray', help, initial: [], parse, print: printList }
}

/** A field in quotes may hold commas. */
function splitCommas(value: string): string[] {
  if (value === '') return []
  const fields = [...value.matchAll(/("((?:[^"]|"")*)"|[^,]*)(?:,|$)/g)]
  // At the end the pattern matches nothing once more, which is a field only after a comma.
  if (!value.endsWith(',')) fields.pop()
  return fields.map((match) => match[2]?.replaceAll('""', '"') ?? match[1]!)
}

export type StringMap = Readonly<Record<string, string>>

/** Pairs `key=value`; `malformed` words the refusal of what is none. */
export function stringMap(help: string, type: string, malformed: (pair: string) => string): Flag<StringMap> {
  const parse = (value: string, before: StringMap | undefined): StringMap => {
    const pairs = splitCommas(value).map((pair): [string, string] => {
      const equals = pair.indexOf('=')
      if (equals === -1) throw new Error(malformed(pair))
      return [pair.slice(0, equals).trim(), pair.slice(equals + 1).trim()]
    })
    return { ...before, ...Object.fromEntries(pairs) }
  }
  const print = (value: StringMap): string =>
    Object.entries(value)
      .map(([key, text]) => `${key}=${text}`)
      .toSorted()
      .join(',')
  // Go's two types of maps differ in this.
  const printed = type === 'stringToString' ? (value: StringMap): string => `[${print(value)}]` : print
  return { type, help, initial: {}, parse, print: printed }
}

export type PortRange = { readonly from: number; readonly to: number }

const PORT_MAX = 65_535

/** `30000-32767`, `30000+100` or one port. */
export function portRange(help: string, initial: PortRange): Flag<PortRange> {
  const print = ({ from, to }: PortRange): string => `${from}-${to}`
  return { type: 'portRange', help, initial, parse: parsePortRange, print }
}

function parsePortRange(value: string): PortRange {
  const [, first = '', separator, second] = /^([^+-]*)(?:([+-])(.*))?$/.exec(value.trim()) ?? []
  const port = (text: string): number => {
    if (!/^\d+$/.test(text)) throw refusal('Atoi', text, 'invalid syntax')
    return Number(text)
  }
  const from = port(first)
  const to = second === undefined ? from : separator === '+' ? from + port(second) : port(second)
  if (from > PORT_MAX || to > PORT_MAX) throw new Error(`the port range cannot be greater than ${PORT_MAX}: ${value}`)
  if (to < from) throw new Error(`end port cannot be less than start port: ${value}`)
  return { from, to }
}
