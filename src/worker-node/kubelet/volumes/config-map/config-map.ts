/** configMap: the keys of a ConfigMap as files. */
import { configMapFiles, DEFAULT_FILE_MODE, writePayload } from '../payloads.ts'
import type { VolumePlugin } from '../volume-plugin.ts'

export const configMapPlugin: VolumePlugin = {
  name: 'kubernetes.io/configmap',
  isLive: true,
  supports: (volume) => volume.configMap !== undefined,
  async setUp(context) {
    const { name = '', items, optional = false, defaultMode = DEFAULT_FILE_MODE } = context.volume.configMap!
    await writePayload(context, await configMapFiles(context, name, { ...(items && { items }), optional, defaultMode }))
    return { hostPath: context.path, readOnly: true }
  },
}
