/** Keeps the default priority levels and flow schemas as this version has them, where nobody has taken them over. */
import type { PriorityLevelConfiguration } from '#api/flowcontrol/v1.gen.ts'
import { FLOWSCHEMAS, PRIORITYLEVELCONFIGURATIONS } from '#api/resources.gen.ts'
import type { ResourceRef } from '#api/resource-ref.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import type { Client } from '#client/client.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { isAlreadyExists, isConflict, isNotFound } from '#machinery/status-error.ts'

/** `false` on an object that its users keep as they want it. */
const AUTOUPDATE = 'apf.kubernetes.io/autoupdate-spec'
/** No server works without them: they are always as they should be. */
const MANDATORY = new Set(['exempt', 'catch-all'])
const BOOLEANS: Readonly<Record<string, boolean>> = {
  '1': true,
  t: true,
  T: true,
  TRUE: true,
  true: true,
  True: true,
  '0': false,
  f: false,
  F: false,
  FALSE: false,
  false: false,
  False: false,
}

type Configured = KubernetesObject & { readonly spec: object }

/** The object to write; null when nothing is to be changed. */
export function reviseDefault<T extends Configured>(current: T, expected: T): T | null {
  const { annotations = {}, generation } = current.metadata
  const said = BOOLEANS[annotations[AUTOUPDATE] ?? '']
  // Nobody has changed an object of the first generation.
  const isOurs = MANDATORY.has(current.metadata.name) || (said ?? generation === 1)
  const spec = isOurs ? expectedSpec(current, expected) : current.spec
  if (said === isOurs && isSemanticallyEqual(spec, current.spec)) return null
  const metadata = { ...current.metadata, annotations: { ...annotations, [AUTOUPDATE]: String(isOurs) } }
  return { ...current, metadata, spec }
}

/** What the exempt level lends and counts for belongs to the cluster's users. */
function expectedSpec(current: Configured, expected: Configured): object {
  const { exempt } = current.spec as PriorityLevelConfiguration['spec']
  const isExempt = (expected.spec as PriorityLevelConfiguration['spec']).type === 'Exempt'
  return isExempt && exempt !== undefined ? { ...expected.spec, exempt } : expected.spec
}

/** Left over from another version, and never taken over by anybody. */
export function isUnwanted({ metadata }: KubernetesObject, wanted: ReadonlySet<string>): boolean {
  return !wanted.has(metadata.name) && BOOLEANS[metadata.annotations?.[AUTOUPDATE] ?? ''] === true
}

/** Levels first: a schema names one. */
export async function reconcileFlowControl(client: Client, defaults: readonly KubernetesObject[]): Promise<void> {
  for (const resource of [PRIORITYLEVELCONFIGURATIONS, FLOWSCHEMAS] as readonly ResourceRef<Configured>[]) {
    const expected = defaults.filter(
      ({ kind }) => kind === resource.kind,
    ) as readonly unknown[] as readonly Configured[]
    await reconcileKind(client, resource, expected)
  }
}

async function reconcileKind(
  client: Client,
  resource: ResourceRef<Configured>,
  expected: readonly Configured[],
): Promise<void> {
  const { items } = await client.list(resource, '')
  const existing = new Map(items.map((object) => [object.metadata.name, object]))
  for (const object of expected) {
    const current = existing.get(object.metadata.name)
    if (current === undefined) await client.create(resource, object).catch(unlessDone)
    else {
      const revised = reviseDefault(current, object)
      // Somebody else has changed it: the next round looks again.
      if (revised !== null) await client.update(resource, revised).catch(unlessDone)
    }
  }
  const wanted = new Set(expected.map(({ metadata }) => metadata.name))
  for (const object of items)
    if (isUnwanted(object, wanted)) await client.delete(resource, '', object.metadata.name).catch(unlessDone)
}

function unlessDone(error: unknown): void {
  if (!isAlreadyExists(error) && !isConflict(error) && !isNotFound(error)) throw error
}
