/** projected: several sources in one folder, among them the token that pods show to the API server. */
import type { VolumeProjection } from '#api/core/v1.gen.ts'
import type { Payload } from '../atomic-writer.ts'
import {
  configMapFiles,
  DEFAULT_FILE_MODE,
  downwardApiFiles,
  secretFiles,
  tokenFiles,
  writePayload,
} from '../payloads.ts'
import { mountInMemory } from '../secret/secret.ts'
import type { VolumeContext, VolumePlugin } from '../volume-plugin.ts'

export const projectedPlugin: VolumePlugin = {
  name: 'kubernetes.io/projected',
  isLive: true,
  supports: (volume) => volume.projected !== undefined,
  async setUp(context) {
    const { sources = [], defaultMode = DEFAULT_FILE_MODE, defaultUser } = context.volume.projected!
    const files = new Map<string, Payload extends ReadonlyMap<string, infer File> ? File : never>()
    for (const source of sources) {
      for (const [path, file] of await filesOf(context, source, defaultMode))
        files.set(path, defaultUser === undefined ? file : { uid: defaultUser, ...file })
    }
    await mountInMemory(context)
    await writePayload(context, files)
    return { hostPath: context.path, readOnly: true }
  },
  async tearDown(path, mounter) {
    await mounter.unmount(path)
  },
}

async function filesOf(context: VolumeContext, source: VolumeProjection, defaultMode: number): Promise<Payload> {
  if (source.configMap)
    return configMapFiles(context, source.configMap.name ?? '', { ...source.configMap, defaultMode })
  if (source.secret) return secretFiles(context, source.secret.name ?? '', { ...source.secret, defaultMode })
  if (source.downwardAPI) return downwardApiFiles(context, source.downwardAPI.items ?? [], defaultMode)
  if (source.serviceAccountToken) return tokenFiles(context, source.serviceAccountToken, defaultMode)
  throw new Error(`this node does not support projected sources of kind ${Object.keys(source)[0] ?? 'none'}`)
}
