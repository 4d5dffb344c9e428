/** Gives a volume's files to the pod's fsGroup, so that its containers can use them whatever their user is. */
import { chmod, chown, lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pod } from '#api/core/v1.gen.ts'

const SET_GID = 0o2000
const GROUP_READ = 0o440
const GROUP_WRITE = 0o660
const EXECUTE = 0o110

/** No-op without fsGroup. With the policy OnRootMismatch a root that already fits vouches for what is below. */
export async function applyFsGroup(root: string, pod: Pod, access: 'writable' | 'readonly'): Promise<void> {
  const { fsGroup, fsGroupChangePolicy } = pod.spec.securityContext ?? {}
  if (fsGroup === undefined) return
  const rootStatus = await lstat(root)
  const wanted = addedBits(true, access)
  const fits = rootStatus.gid === fsGroup && (rootStatus.mode & wanted) === wanted
  if (fits && fsGroupChangePolicy === 'OnRootMismatch') return
  await walk(root, async (path) => {
    const status = await lstat(path)
    if (status.isSymbolicLink()) return
    await chown(path, status.uid, fsGroup)
    await chmod(path, (status.mode & 0o7777) | addedBits(status.isDirectory(), access))
  })
}

function addedBits(isDirectory: boolean, access: 'writable' | 'readonly'): number {
  const bits = access === 'writable' ? GROUP_WRITE : GROUP_READ
  return isDirectory ? bits | SET_GID | EXECUTE : bits
}

async function walk(path: string, visit: (path: string) => Promise<void>): Promise<void> {
  await visit(path)
  if (!(await lstat(path)).isDirectory()) return
  for (const name of await readdir(path)) await walk(join(path, name), visit)
}
