/** Checks an applied configuration against the schema before it is merged, with upstream's texts. */
import { isJsonObject } from '../patch/json-value.ts'
import { goFormat, goTypeOf } from '../patch/json-value.ts'
import type { ListSchema, Schema } from '../schema/schema.ts'
import { fieldElement, formatPathElement, type PathElement } from './path-element.ts'
import { fieldSchema, itemElement, ItemIdentityError } from './schema-shape.ts'

export type ConfigurationProblem = { readonly path: string; readonly message: string }

/** All problems, each with its path: `.spec.bogus: field not declared in schema`. */
export function findConfigurationProblems(schema: Schema, value: unknown): ConfigurationProblem[] {
  return problemsOf(schema, value, '')
}

/** One problem as it is, several as upstream lists them. */
export function formatProblems(problems: readonly ConfigurationProblem[]): string {
  const texts = problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`))
  return texts.length === 1 ? texts[0]! : ['errors:', ...texts.map((text) => `  ${text}`)].join('\n')
}

function problemsOf(schema: Schema, value: unknown, path: string): ConfigurationProblem[] {
  if (value === null || value === undefined) return []
  switch (schema.type) {
    case 'object':
    case 'map':
      return isJsonObject(value)
        ? fieldProblems(schema, value, path)
        : [{ path, message: `expected map, got &{${goFormat(value)}}` }]
    case 'list':
      return Array.isArray(value)
        ? itemProblems(schema, value, path)
        : [{ path, message: `expected list, got &{${goFormat(value)}}` }]
    default: {
      const message = scalarProblem(schema, value)
      return message === null ? [] : [{ path, message }]
    }
  }
}

function fieldProblems(schema: Schema, value: Record<string, unknown>, path: string): ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = []
  for (const name of Object.keys(value)) {
    const field = fieldSchema(schema, name)
    const here = path + formatPathElement(fieldElement(name))
    if (!field.isDeclared && schema.type === 'object' && !schema.preserveUnknown)
      return [...problems, { path: here, message: 'field not declared in schema' }]
    problems.push(...problemsOf(field.schema, value[name], here))
  }
  return problems
}

function itemProblems(schema: ListSchema, list: readonly unknown[], path: string): ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = []
  const seen = new Set<PathElement>()
  for (const [position, item] of list.entries()) {
    let element: PathElement = `i:${position}`
    if (schema.listType !== 'atomic') {
      const identity = identityOf(schema, item)
      if (identity instanceof ItemIdentityError)
        return [...problems, { path, message: `element ${position}: ${identity.message}` }]
      if (seen.has(identity))
        problems.push({ path, message: `duplicate entries for key ${formatPathElement(identity)}` })
      seen.add(identity)
      element = identity
    }
    problems.push(...problemsOf(schema.items, item, path + formatPathElement(element)))
  }
  return problems
}

function identityOf(schema: ListSchema, item: unknown): PathElement | ItemIdentityError {
  try {
    return itemElement(schema, item)
  } catch (error) {
    if (error instanceof ItemIdentityError) return error
    throw error
  }
}

function scalarProblem({ type }: Schema, value: unknown): string | null {
  switch (type) {
    case 'any':
      return null
    case 'int32':
    case 'int64':
    case 'double':
      if (typeof value === 'number' || typeof value === 'bigint') return null
      return `expected numeric (int or float), got ${goTypeOf(value)}`
    case 'string':
    case 'bytes':
      return typeof value === 'string'
        ? null
        : `expected string, got &value.valueUnstructured{Value:${goFormat(value)}}`
    case 'boolean':
      return typeof value === 'boolean' ? null : `expected boolean, got &{${goFormat(value)}}`
    default:
      return typeof value === 'object' ? `expected any scalar, got &{${goFormat(value)}}` : null
  }
}
