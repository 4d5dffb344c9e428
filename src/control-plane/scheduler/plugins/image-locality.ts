/** Prefers nodes that already have the pod's images, the more so the larger and the rarer they are. */
import type { Pod } from '#api/core/v1.gen.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import { SCORE_MAX, type CycleState, type Plugin, type Snapshot } from '../framework.ts'

const MEBIBYTE = 1024 * 1024
const BYTES_MIN = 23 * MEBIBYTE
const BYTES_MAX_PER_CONTAINER = 1000 * MEBIBYTE
const STATE_KEY = 'ImageLocality'

type ImageSpread = { readonly names: readonly string[]; readonly shares: ReadonlyMap<string, number> }

export const imageLocality: Plugin = {
  name: 'ImageLocality',
  preScore(state: CycleState, pod: Pod, _nodes: readonly NodeInfo[], snapshot: Snapshot): boolean {
    const names = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map(({ image }) =>
      normalizeImageName(image ?? ''),
    )
    const shares = new Map(names.map((name) => [name, snapshot.imageNodeCount(name) / snapshot.nodes().length]))
    state.set(STATE_KEY, { names, shares } satisfies ImageSpread)
    return [...shares.values()].some((share) => share > 0)
  },
  score(state: CycleState, _pod: Pod, node: NodeInfo): number {
    const { names, shares } = state.get(STATE_KEY) as ImageSpread
    // An image that all nodes have attracts fully, one that a single node has attracts little: else that node would fill up.
    const bytes = names.reduce((sum, name) => sum + Math.floor((node.imageBytes.get(name) ?? 0) * shares.get(name)!), 0)
    const max = BYTES_MAX_PER_CONTAINER * names.length
    const clamped = Math.min(Math.max(bytes, BYTES_MIN), max)
    return Math.floor((SCORE_MAX * (clamped - BYTES_MIN)) / (max - BYTES_MIN))
  },
}

/** Nodes report images with their tag. */
function normalizeImageName(name: string): string {
  return name.lastIndexOf(':') <= name.lastIndexOf('/') ? `${name}:latest` : name
}
