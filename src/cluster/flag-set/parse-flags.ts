/** Reads a command line as Kubernetes' components do, with their words for what is wrong with it. */
import { FlagError } from '../flags.ts'
import type { Flag, Flags, FlagSection, ValuesOf } from './flag.ts'

/** What is wrong with the form of the command line; upstream begins such lines with `Error:`. */
export class UsageError extends FlagError {}

export type ParsedFlags<F extends Flags> = {
  readonly values: ValuesOf<F>
  /** The flags that were given. */
  readonly given: ReadonlySet<string>
  /** Each flag with its value as text, for /flagz. */
  readonly texts: ReadonlyMap<string, string>
}

/** Refuses flags that are unknown, malformed, or not supported with that value. */
export function parseFlags<F extends Flags>(
  component: string,
  sections: readonly FlagSection[],
  args: readonly string[],
): ParsedFlags<F> {
  const flags = new Map(sections.flatMap((section) => Object.entries(section.flags)))
  const values = new Map<string, unknown>()
  for (const { name, flag, value } of readArguments(component, flags, args)) {
    try {
      values.set(name, flag.parse(value, values.get(name)))
    } catch (error) {
      throw new UsageError(
        `invalid argument ${JSON.stringify(value)} for ${quoteFlag(name, flag)} flag: ${(error as Error).message}`,
      )
    }
  }
  const given = new Set(values.keys())
  for (const [name, flag] of flags) if (!values.has(name)) values.set(name, flag.initial)
  const texts = new Map([...flags].map(([name, flag]) => [name, flag.print(values.get(name))]))
  for (const name of given) refuseUnsupported(name, flags.get(name)!, texts.get(name)!)
  return { values: Object.fromEntries(values) as ValuesOf<F>, given, texts }
}

function refuseUnsupported(name: string, flag: Flag<unknown>, printed: string): void {
  if (flag.unsupported !== undefined && printed !== flag.print(flag.initial))
    throw new FlagError(`--${name} is not supported: ${flag.unsupported}`)
}

type Argument = { readonly name: string; readonly flag: Flag<unknown>; readonly value: string }

function* readArguments(
  component: string,
  flags: ReadonlyMap<string, Flag<unknown>>,
  args: readonly string[],
): Generator<Argument> {
  const others: string[] = []
  for (let index = 0; index < args.length; index++) {
    const word = args[index]!
    if (word === '--') {
      others.push(...args.slice(index + 1))
      break
    }
    if (!word.startsWith('-') || word === '-') {
      others.push(word)
      continue
    }
    const { name, flag, attached } = word.startsWith('--') ? longFlag(flags, word) : shortFlag(flags, word)
    const value = attached ?? flag.implied ?? args[++index]
    if (value === undefined) throw new UsageError(`flag needs an argument: ${word}`)
    yield { name, flag, value }
  }
  if (others.length > 0)
    throw new UsageError(
      `${JSON.stringify(component)} does not take any arguments, got [${others.map((word) => JSON.stringify(word)).join(' ')}]`,
    )
}

type Found = { readonly name: string; readonly flag: Flag<unknown>; readonly attached: string | undefined }

/** Upstream takes an underscore for a dash. */
function longFlag(flags: ReadonlyMap<string, Flag<unknown>>, word: string): Found {
  const equals = word.indexOf('=')
  const written = equals === -1 ? word.slice(2) : word.slice(2, equals)
  const name = written.replaceAll('_', '-')
  const flag = flags.get(name)
  if (flag === undefined) throw new UsageError(`unknown flag: --${written}`)
  return { name, flag, attached: equals === -1 ? undefined : word.slice(equals + 1) }
}

function shortFlag(flags: ReadonlyMap<string, Flag<unknown>>, word: string): Found {
  const [name, flag] = [...flags].find(([, candidate]) => candidate.short === word[1]) ?? []
  if (name === undefined || flag === undefined) throw new UsageError(`unknown shorthand flag: '${word[1]}' in ${word}`)
  const rest = word.slice(2)
  return { name, flag, attached: rest === '' ? undefined : rest.replace(/^=/, '') }
}

const quoteFlag = (name: string, { short }: Flag<unknown>): string =>
  JSON.stringify(short === undefined ? `--${name}` : `-${short}, --${name}`)
