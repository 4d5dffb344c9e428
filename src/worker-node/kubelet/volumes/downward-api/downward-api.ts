/** downwardAPI: fields of the pod itself as files. */
import { DEFAULT_FILE_MODE, downwardApiFiles, writePayload } from '../payloads.ts'
import type { VolumePlugin } from '../volume-plugin.ts'

export const downwardApiPlugin: VolumePlugin = {
  name: 'kubernetes.io/downward-api',
  isLive: true,
  supports: (volume) => volume.downwardAPI !== undefined,
  async setUp(context) {
    const { items = [], defaultMode = DEFAULT_FILE_MODE } = context.volume.downwardAPI!
    await writePayload(context, downwardApiFiles(context, items, defaultMode))
    return { hostPath: context.path, readOnly: true }
  },
}
