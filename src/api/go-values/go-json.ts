/** Writes values as Go's encoding/json does: on one line, or indented as diffs show them. */

/** A JSON value whose objects keep their order, whatever their keys look like. */
export type GoNode = string | number | bigint | boolean | null | readonly GoNode[] | ReadonlyMap<string, GoNode>

/** With an indent: one value a line, as `json.MarshalIndent` writes it. */
export function writeGoJson(node: GoNode, indent = ''): string {
  return write(node, indent, '\n')
}

function write(node: GoNode, indent: string, lineStart: string): string {
  if (node === null || typeof node === 'boolean') return String(node)
  if (typeof node === 'string') return quoteJson(node)
  if (typeof node === 'number' || typeof node === 'bigint') return String(node)
  const inner = `${lineStart}${indent}`
  if (isMap(node)) {
    const colon = indent === '' ? ':' : ': '
    const entries = [...node].map(([name, value]) => `${quoteJson(name)}${colon}${write(value, indent, inner)}`)
    return join('{}', entries, { indent, inner, lineStart })
  }
  const items = node.map((item) => write(item, indent, inner))
  return join('[]', items, { indent, inner, lineStart })
}

const isMap = (node: readonly GoNode[] | ReadonlyMap<string, GoNode>): node is ReadonlyMap<string, GoNode> =>
  node instanceof Map

type Lines = { readonly indent: string; readonly inner: string; readonly lineStart: string }

function join(brackets: '{}' | '[]', parts: readonly string[], { indent, inner, lineStart }: Lines): string {
  if (parts.length === 0) return brackets
  const [open, close] = brackets
  if (indent === '') return `${open}${parts.join(',')}${close}`
  return `${open}${inner}${parts.join(`,${inner}`)}${lineStart}${close}`
}

/** Go also escapes what HTML would take for its own. */
export function quoteJson(text: string): string {
  return JSON.stringify(text.toWellFormed()).replaceAll(/[<>&\u2028\u2029]/g, escapeCharacter)
}

const escapeCharacter = (character: string): string =>
  String.raw`\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
