/** Finds names in an expression that mean nothing where it stands. Functions and the types of values are not looked at. */
import { CelError, type CelNode } from './syntax-tree.ts'

/** What an expression may name. */
export type CelScope = {
  readonly variables: ReadonlySet<string>
  /** Fields of `variables` (a policy's own variables); undefined where there is no such object. */
  readonly composed?: ReadonlySet<string>
}

/** Types, and the first parts of the names of functions and types. */
const TYPES = new Set(
  (
    'int uint double bool string bytes list map null_type type dyn any optional optional_type google kubernetes net ' +
    'sets strings lists format ip cidr quantity semver jsonpatch Object JSONPatch'
  ).split(' '),
)

/** Macros whose first arguments name variables for the last ones: how many arguments, and how many of them are names. */
const MACROS: Readonly<Record<string, Readonly<Record<number, number>>>> = {
  all: { 2: 1, 3: 2 },
  exists: { 2: 1, 3: 2 },
  exists_one: { 2: 1, 3: 2 },
  existsOne: { 2: 1, 3: 2 },
  map: { 2: 1, 3: 1 },
  filter: { 2: 1 },
  sortBy: { 2: 1 },
  transformList: { 3: 2, 4: 2 },
  transformMap: { 3: 2, 4: 2 },
  transformMapEntry: { 3: 2, 4: 2 },
  optMap: { 2: 1 },
  optFlatMap: { 2: 1 },
  bind: { 3: 1 },
}

type Place = readonly [node: CelNode, scope: CelScope]

/** Throws CelError for the first name that means nothing. Goes down without recursion: parentheses make deep trees of long chains. */
export function checkReferences(tree: CelNode, scope: CelScope): void {
  const pending: Place[] = [[tree, scope]]
  for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
    const [node] = place
    if (node.kind === 'ident') checkIdent(node.name, node.offset, place[1])
    else pending.push(...partsOf(place).toReversed())
    if (node.kind === 'select') checkField(node, place[1])
  }
}

function partsOf([node, scope]: Place): Place[] {
  if (node.kind === 'select') return [[node.operand, scope]]
  if (node.kind === 'made') return node.parts.map((part) => [part, scope])
  if (node.kind !== 'call') return []
  const { target, name, args } = node
  const names = target === null ? 0 : (MACROS[name]?.[args.length] ?? 0)
  const inner = names === 0 ? scope : withNames(scope, args.slice(0, names))
  const rest = args.slice(names).map((argument): Place => [argument, inner])
  return target === null ? rest : [[target, scope], ...rest]
}

function checkIdent(given: string, offset: number, { variables, composed }: CelScope): void {
  const name = plainName(given)
  if (variables.has(name) || TYPES.has(name) || (name === 'variables' && composed !== undefined)) return
  throw new CelError(`undeclared reference to '${given}' (in container '')`, offset)
}

/** A dot before a name says where to look it up first. */
const plainName = (name: string): string => name.replace(/^\./, '')

function checkField({ operand, field, offset }: Extract<CelNode, { kind: 'select' }>, scope: CelScope): void {
  const { variables, composed } = scope
  if (operand.kind !== 'ident' || plainName(operand.name) !== 'variables' || variables.has('variables')) return
  if (composed !== undefined && !composed.has(field)) throw new CelError(`undefined field '${field}'`, offset)
}

function withNames(scope: CelScope, nodes: readonly CelNode[]): CelScope {
  const names = nodes.flatMap((node) => (node.kind === 'ident' ? [node.name] : []))
  return { ...scope, variables: new Set([...scope.variables, ...names]) }
}
