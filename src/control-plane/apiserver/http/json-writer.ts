/** Writes JSON as upstream's encoder does it: characters of markup are escaped, so that no browser takes a text for a page. */

export function writeJson(value: unknown, pretty = false): string {
  const json = pretty ? JSON.stringify(value, null, INDENT) : JSON.stringify(value)
  return json.replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

const INDENT = 2

/** A value inside an object that is written pretty: `depth` levels further in. Texts hold no line ends of their own. */
export function writePrettyJson(value: unknown, depth: number): string {
  return writeJson(value, true).replaceAll('\n', `\n${' '.repeat(depth * INDENT)}`)
}
