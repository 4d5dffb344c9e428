/** Settings of the machine that a cluster changes, remembered so that the last `down` puts them back. */
import { existsSync } from 'node:fs'
import { mkdir, readdir, rm, rmdir, writeFile } from 'node:fs/promises'
import { runCommand } from '#base/run-command.ts'

const RUN_DIR = '/run/kubets'
const FORWARDING_WAS_OFF = `${RUN_DIR}/ip-forward-was-off`
const NETNS_WAS_ABSENT = `${RUN_DIR}/netns-was-absent`
/** The folder of named network namespaces: iproute2 makes it, and mounts it on itself. */
const NETNS_DIR = '/run/netns'
/** containerd's CNI cache is hard-wired there; nodes mount their own over it. */
const CNI_CACHE_DIR = '/var/lib/cni'
const OWN_DIRS = ['/var/lib/kubets/clusters', '/var/lib/kubets/data', '/var/lib/kubets', RUN_DIR]

/** Before a cluster's network is made. What an earlier cluster found stays what is remembered. */
export async function rememberSettings({ isForwarding }: { readonly isForwarding: boolean }): Promise<void> {
  await mkdir(RUN_DIR, { recursive: true })
  if (!isForwarding) await writeFile(FORWARDING_WAS_OFF, '')
  if (!existsSync(NETNS_DIR)) await writeFile(NETNS_WAS_ABSENT, '')
}

/** Whether to switch forwarding off again; forgets it. */
export async function takeForwardingMemory(): Promise<boolean> {
  const was = existsSync(FORWARDING_WAS_OFF)
  await rm(FORWARDING_WAS_OFF, { force: true })
  return was
}

/** Takes the folder of namespaces away, if it came with a cluster and nobody else uses it by now. */
export async function restoreNamespaceFolder(): Promise<void> {
  if (!existsSync(NETNS_WAS_ABSENT)) return
  await rm(NETNS_WAS_ABSENT)
  if ((await readdir(NETNS_DIR)).length > 0) return
  await runCommand('umount', [NETNS_DIR])
  await rmdir(NETNS_DIR)
}

/** Removes folders that are empty now that no cluster is left. */
export async function removeEmptyFolders(): Promise<void> {
  for (const folder of [CNI_CACHE_DIR, ...OWN_DIRS])
    await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(error.code ?? '')) throw error
    })
}
