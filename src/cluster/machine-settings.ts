/** Settings of the machine that a cluster changes, remembered so that the last `down` puts them back. */
import { existsSync } from 'node:fs'
import { mkdir, rm, rmdir, writeFile } from 'node:fs/promises'

const RUN_DIR = '/run/kubets'
const FORWARDING_WAS_OFF = `${RUN_DIR}/ip-forward-was-off`
/** containerd's CNI cache is hard-wired there; nodes mount their own over it. */
const CNI_CACHE_DIR = '/var/lib/cni'
const OWN_DIRS = ['/var/lib/kubets/clusters', '/var/lib/kubets/data', '/var/lib/kubets', RUN_DIR]

/** Forwarding was off before the first cluster came. */
export async function rememberForwarding(): Promise<void> {
  await mkdir(RUN_DIR, { recursive: true })
  await writeFile(FORWARDING_WAS_OFF, '')
}

/** Whether to switch forwarding off again; forgets it. */
export async function takeForwardingMemory(): Promise<boolean> {
  const was = existsSync(FORWARDING_WAS_OFF)
  await rm(FORWARDING_WAS_OFF, { force: true })
  return was
}

/** Removes folders that are empty now that no cluster is left. */
export async function removeEmptyFolders(): Promise<void> {
  for (const folder of [CNI_CACHE_DIR, ...OWN_DIRS])
    await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(error.code ?? '')) throw error
    })
}
