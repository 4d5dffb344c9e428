/** How Go prints the type of a schema: part of the text of every type error. */
import { goTypeName } from './compile.ts'
import type { ScalarType, Schema } from './schema.ts'

const PLAIN: Readonly<Record<ScalarType, string>> = {
  string: 'string',
  boolean: 'bool',
  int32: 'int32',
  int64: 'int64',
  double: 'float64',
  bytes: '[]uint8',
  quantity: 'resource.Quantity',
  time: 'string',
  'micro-time': 'string',
  'int-or-string': 'int32',
  any: 'interface {}',
}

/** `[]v1.Container`, `map[string]string`, `v1.PullPolicy`. */
export function goTypeOf(schema: Schema): string {
  switch (schema.type) {
    case 'list':
      return schema.goType ?? `[]${goItemType(schema.items)}`
    case 'map':
      return schema.goType ?? `map[string]${goItemType(schema.values)}`
    case 'object':
      return schema.name === '' ? 'map[string]interface {}' : goTypeName(schema.name)
    case 'time':
    case 'micro-time':
    case 'int-or-string':
      return PLAIN[schema.type]
    default:
      return schema.goType ?? PLAIN[schema.type]
  }
}

/** Times and the like are structs in a list's type, though their own errors speak of what they are read from. */
function goItemType(schema: Schema): string {
  return 'goType' in schema && schema.goType !== undefined ? schema.goType : goTypeOf(schema)
}
