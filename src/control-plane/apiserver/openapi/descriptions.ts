/**
 * Descriptions of types and fields for `kubectl explain`: read from a data file that scripts/build-field-descriptions.ts makes from the
 * doc comments of @kubernetes/client-node. Without the file everything works, and has no descriptions.
 */
import { readFileSync } from 'node:fs'

/** Full type name -> field -> text; '' is the type itself. */
export type Descriptions = Readonly<Record<string, Readonly<Record<string, string>>>>

export const DESCRIPTIONS_FILE = new URL('../../../../.cache/field-descriptions.json', import.meta.url)

let descriptions: Descriptions | undefined

function load(): Descriptions {
  try {
    return JSON.parse(readFileSync(DESCRIPTIONS_FILE, 'utf8')) as Descriptions
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
}

export function describeType(name: string): string | undefined {
  descriptions ??= load()
  return descriptions[name]?.['']
}

export function describeField(name: string, field: string): string | undefined {
  descriptions ??= load()
  return descriptions[name]?.[field]
}
