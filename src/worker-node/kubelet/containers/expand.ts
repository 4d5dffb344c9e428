/** Replaces `$(NAME)` in commands, arguments and values of environment variables; `$$` is one dollar sign. */

/** What is unknown stays as it is written. */
export function expandReferences(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$\$|\$\(([^()]*)\)/g, (whole, name: string | undefined) => {
    if (whole === '$$') return '$'
    return variables.get(name ?? '') ?? whole
  })
}

/** For subPathExpr: an unknown name is an error. */
export function expandStrictly(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$\$|\$\(([^()]*)\)/g, (whole, name: string | undefined) => {
    if (whole === '$$') return '$'
    const value = variables.get(name ?? '')
    if (value === undefined) throw new Error(`missing value for "${name}"`)
    return value
  })
}
