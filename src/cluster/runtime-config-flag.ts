/** Reads `--runtime-config` as upstream's API server does: which APIs are served beside or in place of the default ones. */
import { enabledKinds, RuntimeConfigError } from '#api/enabled-kinds.ts'
import type { KindDefinition } from '#api/kind.ts'
import type { FeatureGates } from '#base/feature-gates.ts'
import { FlagError } from './flags.ts'

export const RUNTIME_CONFIG_HELP =
  'APIs to serve or not, as GROUP/VERSION[/RESOURCE]=true|false,…; api/all, api/ga, api/beta and api/alpha are for many'

/** The kinds that a server with these flags serves. Throws FlagError with upstream's texts. */
export function readRuntimeConfig(
  values: readonly string[] | undefined,
  features: FeatureGates,
  priorityAndFairness = true,
): readonly KindDefinition[] {
  const config = withCoreGroup(parseRuntimeConfig(values ?? []))
  const conflicts = findConflicts(config, priorityAndFairness)
  if (conflicts.length > 0) throw new FlagError(conflicts.length === 1 ? conflicts[0] : `[${conflicts.join(', ')}]`)
  try {
    return enabledKinds(config, features)
  } catch (error) {
    if (error instanceof RuntimeConfigError) throw new FlagError(error.message)
    throw error
  }
}

/** Later values of a key replace earlier ones. */
function parseRuntimeConfig(values: readonly string[]): Map<string, string> {
  const pairs = values.flatMap((value) => value.split(',')).filter((pair) => pair !== '')
  return new Map(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      return at < 0 ? [pair.trim(), ''] : [pair.slice(0, at).trim(), pair.slice(at + 1).trim()]
    }),
  )
}

/** The core group has several names; whatever is said of one of its resources is said of all. */
function withCoreGroup(config: ReadonlyMap<string, string>): Map<string, string> {
  const completed = new Map<string, string>()
  for (const [key, value] of config)
    if (/^(api\/)?v1(\/|$)/.test(key)) completed.set('/v1', value)
    else if (key !== 'api/legacy') completed.set(key, value)
  return completed
}

/** Keys that can take flow control away, in the order of their precedence. */
const FLOW_CONTROL_KEYS = ['flowcontrol.apiserver.k8s.io/v1', 'api/ga', 'api/all']

function findConflicts(config: ReadonlyMap<string, string>, priorityAndFairness: boolean): string[] {
  const conflicts: string[] = []
  const decisive = FLOW_CONTROL_KEYS.find((key) => ['true', 'false'].includes(config.get(key) ?? ''))
  if (priorityAndFairness && decisive !== undefined && config.get(decisive) === 'false')
    conflicts.push(`--runtime-config=${decisive}=false conflicts with --enable-priority-and-fairness=true`)
  if (config.get('api/all') === 'false' && config.size === 1)
    conflicts.push('invalid runtime-config with only api/all=false')
  if (conflicts.length === 0 && config.get('/v1') === 'false')
    conflicts.push('--runtime-config: no API server can do without the core group')
  return conflicts
}
