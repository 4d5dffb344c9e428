/** Writes all metrics of a registry as text, a slice at a time: a server that has answered everything once has a hundred thousand lines. */
import { Registry, type Counter } from 'prom-client'
import type { Clock } from '#base/clock.ts'

/** Some milliseconds of work. */
const SLICE_VALUES = 2000
/** `# HELP` and `# TYPE`. */
const HEADER_LINES = 2

type Snapshot = { readonly name: string; readonly values?: readonly unknown[] }

/** The same text as `registry.metrics()`. */
export async function writeMetrics(registry: Registry, clock: Clock): Promise<string> {
  const families: string[] = []
  for (const family of registry.getMetricsAsArray() as unknown as { get(): Promise<Snapshot> }[]) {
    families.push(await writeFamily(await family.get(), clock))
    await clock.yield()
  }
  return `${families.join('\n\n')}\n`
}

async function writeFamily(snapshot: Snapshot, clock: Clock): Promise<string> {
  const { values = [] } = snapshot
  const parts = [await writeSlice(snapshot, values.slice(0, SLICE_VALUES))]
  for (let from = SLICE_VALUES; from < values.length; from += SLICE_VALUES) {
    await clock.yield()
    const lines = await writeSlice(snapshot, values.slice(from, from + SLICE_VALUES))
    parts.push(lines.split('\n').slice(HEADER_LINES).join('\n'))
  }
  return parts.join('\n')
}

/** A registry of one family, which holds these values alone. */
async function writeSlice(snapshot: Snapshot, values: readonly unknown[]): Promise<string> {
  const registry = new Registry()
  const family = { name: snapshot.name, get: async () => ({ ...snapshot, values }) }
  registry.registerMetric(family as unknown as Counter)
  return (await registry.metrics()).trimEnd()
}
