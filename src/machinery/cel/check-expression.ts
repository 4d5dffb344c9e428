/** Says what is wrong with an expression, with the line and a mark under the place, as the API server answers it. */
import { parseCel } from './parser.ts'
import { checkReferences, type CelScope } from './references.ts'
import { CelError, type CelNode } from './syntax-tree.ts'

/** The text of the refusal; null for an expression that parses and names only what is there. */
export function expressionProblem(expression: string, scope: CelScope): string | null {
  let tree: CelNode
  try {
    tree = parseCel(expression)
  } catch (error) {
    return problemOf(expression, error)
  }
  try {
    checkReferences(tree, scope)
    return null
  } catch (error) {
    return problemOf(expression, error)
  }
}

function problemOf(expression: string, error: unknown): string {
  if (!(error instanceof CelError)) throw error
  const texts = [...error.earlier, error].map(({ message, offset }) =>
    offset === null ? `ERROR: <input>:-1:0: ${message}` : describe(expression, message, offset),
  )
  return `compilation failed: ${texts.join('\n')}`
}

function describe(expression: string, message: string, offset: number): string {
  const before = expression.slice(0, offset).split('\n')
  const [line, column] = [before.length, before.at(-1)!.length]
  // Nothing to mark in an empty expression.
  if (expression === '') return `ERROR: <input>:1:0: ${message}`
  const text = expression.split('\n')[line - 1]!
  const mark = `${'.'.repeat(column)}^`
  return `ERROR: <input>:${line}:${column + 1}: ${message}\n | ${text}\n | ${mark}`
}
