/** /flagz: the flags that the server runs with. */
import type { Handler } from '../request.ts'
import { answerPage, PAGE_COMPONENT, PAGE_WARNING } from './answer.ts'

/** `flags` by name, each with its value as text. */
export function createFlagzHandler(flags: ReadonlyMap<string, string>): Handler {
  const sorted = [...flags].toSorted(([a], [b]) => (a < b ? -1 : 1))
  const lines = sorted.map(([name, value]) => `${name}=${value}\n`)
  const text = `\n${PAGE_COMPONENT} flagz\n${PAGE_WARNING}\n${lines.join('')}`
  const fields = { flags: Object.fromEntries(sorted) }
  return async (request) => answerPage(request, { kind: 'Flagz', text, fields })
}
