/** What an expression of the Common Expression Language says, as a tree; evaluation and types are not its business. */

export type CelNode =
  /** As it was written, with sign, quotes and prefixes. */
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'ident'; readonly name: string; readonly offset: number }
  | { readonly kind: 'select'; readonly operand: CelNode; readonly field: string; readonly offset: number }
  /**
   * A function, a method (`target`), a run of operators that bind alike, or an index. Operators have the names of upstream's tree:
   * `_||_`, `!_`, `_[_]`; a run has that of its last one.
   */
  | { readonly kind: 'call'; readonly target: CelNode | null; readonly name: string; readonly args: readonly CelNode[] }
  /** The parts that are expressions. */
  | { readonly kind: 'made'; readonly of: 'list' | 'map' | 'message'; readonly parts: readonly CelNode[] }

/** Why a text is no expression, and where; null: as a whole. */
export class CelError extends Error {
  readonly offset: number | null
  /** What the parser had found before, and read on. */
  readonly earlier: readonly CelError[]
  constructor(message: string, offset: number | null, earlier: readonly CelError[] = []) {
    super(message)
    this.name = 'CelError'
    this.offset = offset
    this.earlier = earlier
  }
}
