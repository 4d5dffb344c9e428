/** secret: the keys of a Secret as files that never touch the disk. */
import { mkdir } from 'node:fs/promises'
import { DEFAULT_FILE_MODE, secretFiles, writePayload } from '../payloads.ts'
import type { VolumeContext, VolumePlugin } from '../volume-plugin.ts'

export const secretPlugin: VolumePlugin = {
  name: 'kubernetes.io/secret',
  isLive: true,
  supports: (volume) => volume.secret !== undefined,
  async setUp(context) {
    const { secretName = '', items, optional = false, defaultMode = DEFAULT_FILE_MODE } = context.volume.secret!
    const files = await secretFiles(context, secretName, { ...(items && { items }), optional, defaultMode })
    await mountInMemory(context)
    await writePayload(context, files)
    return { hostPath: context.path, readOnly: true }
  },
  async tearDown(path, mounter) {
    await mounter.unmount(path)
  },
}

export async function mountInMemory({ path, mounter }: VolumeContext): Promise<void> {
  await mkdir(path, { recursive: true })
  if (!(await mounter.mountsBelow(path)).includes(path)) await mounter.mountTmpfs(path, { mode: 0o755 })
}
