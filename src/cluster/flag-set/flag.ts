/** What a flag of a component is: its type, its default, how its text is read and printed, and what it is for. */

/** `T` is what the component works with; the texts are those of the command line. */
export interface Flag<T> {
  /** As `--help` prints it; empty for a flag of yes or no. */
  readonly type: string
  readonly initial: T
  readonly help: string
  readonly short?: string
  /** What the flag without a value means; missing where a value must follow. */
  readonly implied?: string
  /** Told when it is given: what to use instead. Such flags are not listed. */
  readonly deprecated?: string
  /** Why no other value than the default is taken: such a flag is refused, never ignored. */
  readonly unsupported?: string
  /** `before` is set from the second time on that the flag is given. Throws an Error with Go's words for a bad text. */
  parse(text: string, before: T | undefined): T
  /** As /flagz shows it. */
  print(value: T): string
}

export type Flags = Readonly<Record<string, Flag<unknown>>>

/** Flags that `--help` lists under one title. */
export type FlagSection<F extends Flags = Flags> = { readonly title: string; readonly flags: F }

export type ValuesOf<F extends Flags> = { readonly [Name in keyof F]: F[Name] extends Flag<infer T> ? T : never }

/** The flag, refused for the reason given unless its value is the default. */
export const unsupported = <T>(flag: Flag<T>, why: string): Flag<T> => ({ ...flag, unsupported: why })

export const deprecated = <T>(flag: Flag<T>, instead: string): Flag<T> => ({ ...flag, deprecated: instead })
