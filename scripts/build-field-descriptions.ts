/**
 * Makes the optional data file of field descriptions (`kubectl explain`) from the doc comments of the npm package @kubernetes/client-node:
 * `node scripts/build-field-descriptions.ts [FOLDER_OF_THE_PACKAGE]`. The texts are not part of this repository.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import '../src/api/schemas.ts'
import { DESCRIPTIONS_FILE, type Descriptions } from '../src/control-plane/apiserver/openapi/descriptions.ts'
import { allTypeNames, typeDataOf } from '../src/machinery/schema/registry.ts'

const DEFAULT_PACKAGE = fileURLToPath(new URL('../node_modules/@kubernetes/client-node', import.meta.url))

const capitalize = (word: string): string => word.slice(0, 1).toUpperCase() + word.slice(1)

/** `io.k8s.api.core.v1.Event` -> `CoreV1Event`, `V1Event`: the generator adds the group where names would collide. */
function classNamesOf(typeName: string): string[] {
  const [group, version, kind] = typeName.split('.').slice(-3) as [string, string, string]
  return [`${capitalize(group)}${capitalize(version)}${kind}`, `${capitalize(version)}${kind}`]
}

function readModel(models: string, typeName: string): { types: string; code: string } | null {
  for (const name of classNamesOf(typeName)) {
    const path = join(models, name)
    if (existsSync(`${path}.d.ts`))
      return { types: readFileSync(`${path}.d.ts`, 'utf8'), code: readFileSync(`${path}.js`, 'utf8') }
  }
  return null
}

/** JavaScript's names of properties are not always those of the API: `_continue`, `xKubernetesListType`. */
function readApiNames(code: string): Map<string, string> {
  const pairs = code.matchAll(/"?name"?: ['"]([^'"]+)['"],\s*"?baseName"?: ['"]([^'"]+)['"]/g)
  return new Map([...pairs].map(([, name, baseName]) => [name!, baseName!]))
}

function cleanComment(comment: string): string {
  return comment
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
    .join('\n')
    .trim()
    .replaceAll(/\\(['"])/g, '$1')
}

function describe(models: string, typeName: string): Record<string, string> | null {
  const model = readModel(models, typeName)
  if (model === null) return null
  const apiNames = readApiNames(model.code)
  const texts: Record<string, string> = {}
  const comments = model.types.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(?:export declare class \w+|'([^']+)'\??:)/g)
  for (const [, comment, property] of comments) {
    const text = cleanComment(comment!)
    if (text !== '') texts[property === undefined ? '' : (apiNames.get(property) ?? property)] = text
  }
  return texts
}

const folder = process.argv[2] ?? DEFAULT_PACKAGE
const models = join(folder, 'dist/gen/models')
if (!existsSync(models)) {
  console.error(`${models} is not there: without @kubernetes/client-node kubectl explain has no descriptions`)
  process.exit(1)
}
const descriptions: Record<string, Descriptions[string]> = {}
for (const name of allTypeNames().toSorted()) {
  if (typeDataOf(name).data.hidden) continue
  const texts = describe(models, name)
  if (texts !== null && Object.keys(texts).length > 0) descriptions[name] = texts
}
const path = fileURLToPath(DESCRIPTIONS_FILE)
mkdirSync(dirname(path), { recursive: true })
writeFileSync(path, JSON.stringify(descriptions))
console.log(`Descriptions of ${Object.keys(descriptions).length} types in ${path}`)
