/** Parses JSON that a client sent: what is too deep for the stack is refused before anything descends into it. */
import { DecodeError } from './decode-error.ts'
import { parseExactJson, plainValue } from './exact-json.ts'
import { scanJson, type JsonScan } from './json-scan.ts'

/** Throws DecodeError with Go's words for a text that is no JSON. */
export function parseJson(text: string): unknown {
  checkJsonDepth(scanJson(text))
  try {
    return JSON.parse(text)
  } catch {
    return plainValue(parseExactJson(text))
  }
}

export function checkJsonDepth({ tooDeep }: Pick<JsonScan, 'tooDeep'>): void {
  if (tooDeep !== '') throw new DecodeError(`invalid character '${tooDeep}' exceeded max depth`)
}
