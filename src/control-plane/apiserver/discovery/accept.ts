/** Whether a client would rather have the aggregated discovery document. */

/** Media type of the aggregated form. */
export const AGGREGATED_TYPE = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

/** True when the first form of the Accept header that this server can give is the aggregated one. */
export function prefersAggregated(accept: string | undefined): boolean {
  for (const part of (accept ?? '').split(',')) {
    const [type, ...parameters] = part.split(';').map((text) => text.trim())
    const values = new Map(parameters.map((text) => text.split('=') as [string, string]))
    const target = values.get('as')
    if (target === undefined) {
      if (isPlainType(type ?? '')) return false
    } else if (
      target === 'APIGroupDiscoveryList' &&
      values.get('g') === 'apidiscovery.k8s.io' &&
      values.get('v') === 'v2' &&
      (type === 'application/json' || type === '*/*' || type === 'application/*')
    )
      return true
  }
  return false
}

const isPlainType = (type: string): boolean =>
  ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf', 'application/*', '*/*'].includes(type)
