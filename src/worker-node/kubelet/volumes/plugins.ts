/** The list of volume plugins. */
import type { Volume } from '#api/core/v1.gen.ts'
import { configMapPlugin } from './config-map/config-map.ts'
import { downwardApiPlugin } from './downward-api/downward-api.ts'
import { emptyDirPlugin } from './empty-dir/empty-dir.ts'
import { hostPathPlugin } from './host-path/host-path.ts'
import { imagePlugin } from './image/image.ts'
import { persistentVolumeClaimPlugin } from './persistent-volume-claim/persistent-volume-claim.ts'
import { projectedPlugin } from './projected/projected.ts'
import { secretPlugin } from './secret/secret.ts'
import type { VolumePlugin } from './volume-plugin.ts'

export const VOLUME_PLUGINS: readonly VolumePlugin[] = [
  emptyDirPlugin,
  hostPathPlugin,
  configMapPlugin,
  secretPlugin,
  downwardApiPlugin,
  projectedPlugin,
  persistentVolumeClaimPlugin,
  imagePlugin,
]

export function pluginOf(volume: Volume): VolumePlugin {
  const plugin = VOLUME_PLUGINS.find((candidate) => candidate.supports(volume))
  if (plugin) return plugin
  const kind = Object.keys(volume).find((key) => key !== 'name') ?? 'none'
  throw new Error(`no volume plugin matched: this node does not support volumes of kind ${kind}`)
}
