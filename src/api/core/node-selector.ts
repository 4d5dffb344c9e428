/** Node selectors: which nodes the terms of a pod's node affinity, or of a volume, mean. */
import type { Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm } from './v1.gen.ts'

/** One of the terms must match; a selector without terms matches nothing. */
export function matchesNodeSelector(selector: NodeSelector, node: Node): boolean {
  return selector.nodeSelectorTerms.some((term) => matchesNodeSelectorTerm(term, node))
}

/** All requirements must match; an empty term matches nothing. */
export function matchesNodeSelectorTerm(term: NodeSelectorTerm, node: Node): boolean {
  const [expressions, fields] = [term.matchExpressions ?? [], term.matchFields ?? []]
  if (expressions.length + fields.length === 0) return false
  return (
    expressions.every((requirement) => matchesRequirement(requirement, node.metadata.labels?.[requirement.key])) &&
    fields.every((requirement) =>
      matchesRequirement(requirement, requirement.key === 'metadata.name' ? node.metadata.name : undefined),
    )
  )
}

function matchesRequirement({ operator, values = [] }: NodeSelectorRequirement, actual: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return actual !== undefined && values.includes(actual)
    case 'NotIn':
      return actual === undefined || !values.includes(actual)
    case 'Exists':
      return actual !== undefined
    case 'DoesNotExist':
      return actual === undefined
    case 'Gt':
    case 'Lt':
      return comparesAs(operator, actual, values[0])
    default:
      return false
  }
}

function comparesAs(operator: 'Gt' | 'Lt', actual = '', bound = ''): boolean {
  if (!/^-?\d+$/.test(actual) || !/^-?\d+$/.test(bound)) return false
  return operator === 'Gt' ? BigInt(actual) > BigInt(bound) : BigInt(actual) < BigInt(bound)
}
