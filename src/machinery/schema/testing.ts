/** For tests of the machinery: makes the built-in schemas known without importing the API's code. */
import { globSync, readFileSync } from 'node:fs'
import { registerSchemas } from './registry.ts'
import type { SchemaFile } from './schema-data.ts'

/** Registers every committed schema file of src/api; `#api/schemas.ts` does the same with an explicit list. */
export function registerAllSchemas(): void {
  const folder = new URL('../../api/', import.meta.url)
  for (const path of globSync('*/*.schema.gen.json', { cwd: folder })) {
    const file = JSON.parse(readFileSync(new URL(path, folder), 'utf8')) as SchemaFile
    registerSchemas([{ packages: [file.packages[0]!], load: () => file }])
  }
}
