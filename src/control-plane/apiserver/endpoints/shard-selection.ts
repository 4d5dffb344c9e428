/** The share of a collection that a request asks for, on top of its selectors: with the feature gate ShardedListAndWatch. */
import type { FeatureGates } from '#base/feature-gates.ts'
import { parseShardSelector, ShardSelectorError, type ShardSelector } from '#machinery/selectors/shard-selector.ts'
import { StatusError } from '#machinery/status-error.ts'
import type { ApiRequest } from '../request.ts'
import type { Matches } from '../watch-cache/cache-event.ts'
import type { CachedObject } from '../watch-cache/cached-object.ts'
import type { Selection } from './selection.ts'

export type ShardedSelection = Selection & {
  /** What the metadata of a list says of the share; null for a list of everything that is selected. */
  readonly shardInfo: { readonly selector: string } | null
}

/** Without the gate nobody looks at the parameter. Upstream refuses a selector that cannot be read with 500. */
export function withShard(selection: Selection, { query }: ApiRequest, features: FeatureGates): ShardedSelection {
  const text = query.get('shardSelector') ?? ''
  if (text === '' || !features.isEnabled('ShardedListAndWatch')) return { ...selection, shardInfo: null }
  const selector = parse(text)
  const inShard: Matches = (object) => selector.matches(valueOf(selector, object))
  const { matches } = selection
  return {
    ...selection,
    matches: matches === null ? inShard : (object) => inShard(object) && matches(object),
    isEmpty: false,
    shardInfo: { selector: selector.text },
  }
}

function parse(text: string): ShardSelector {
  try {
    return parseShardSelector(text)
  } catch (error) {
    if (!(error instanceof ShardSelectorError)) throw error
    throw new StatusError({ code: 500, reason: '', message: `invalid shard selector: ${error.message}` })
  }
}

const valueOf = ({ field }: ShardSelector, object: CachedObject): string =>
  field === 'object.metadata.uid' ? object.uid() : object.namespace
