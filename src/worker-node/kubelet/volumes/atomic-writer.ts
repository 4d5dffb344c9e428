/** Writes the files of a volume so that containers see all of a new version or none of it: a swapped symlink does it. */
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readFile,
  readdir,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'

export type VolumeFile = { readonly content: Buffer; readonly mode: number; readonly uid?: number }

/** Relative path → file. */
export type Payload = ReadonlyMap<string, VolumeFile>

export type WriteOptions = {
  /** Group of all files and folders, with the bits it then needs. */
  readonly fsGroup?: number
  /** Makes the version folder's name unique: the time in milliseconds. */
  readonly version: number
}

const DATA = '..data'
const DATA_NEXT = '..data_tmp'

/** True when something changed. Paths are validated: they never leave the volume. */
export async function writeAtomically(root: string, payload: Payload, options: WriteOptions): Promise<boolean> {
  for (const path of payload.keys()) assertInside(path)
  await mkdir(root, { recursive: true })
  const oldVersion = await readlinkOrNull(join(root, DATA))
  if (oldVersion !== null && (await isSame(join(root, oldVersion), payload))) return false
  const version = `..${options.version}.${process.hrtime.bigint() % 1_000_000_000n}`
  const folder = join(root, version)
  await mkdir(folder, { mode: 0o755 })
  await giveToGroup(folder, 0o755, options.fsGroup)
  for (const [path, file] of payload) await writeOne(folder, path, file, options.fsGroup)
  await linkNames(root, payload)
  await symlink(version, join(root, DATA_NEXT))
  await rename(join(root, DATA_NEXT), join(root, DATA))
  await removeStaleNames(root, payload)
  if (oldVersion !== null) await rm(join(root, oldVersion), { recursive: true, force: true })
  return true
}

function assertInside(path: string): void {
  const parts = path.split('/')
  if (path === '' || path.startsWith('/') || parts.includes('..') || parts[0]!.startsWith('..'))
    throw new Error(`invalid path in volume: "${path}"`)
}

async function writeOne(folder: string, path: string, file: VolumeFile, fsGroup: number | undefined): Promise<void> {
  const target = join(folder, path)
  await mkdir(dirname(target), { recursive: true, mode: 0o755 })
  for (let parent = dirname(path); parent !== '.'; parent = dirname(parent))
    await giveToGroup(join(folder, parent), 0o755, fsGroup)
  await writeFile(target, file.content)
  await chmod(target, file.mode)
  if (file.uid !== undefined) await chown(target, file.uid, fsGroup ?? 0)
  await giveToGroup(target, file.mode, fsGroup, file.uid)
}

async function giveToGroup(path: string, mode: number, fsGroup: number | undefined, uid = 0): Promise<void> {
  if (fsGroup === undefined) return
  const isFolder = (await lstat(path)).isDirectory()
  await chown(path, uid, fsGroup)
  await chmod(path, mode | (isFolder ? 0o2550 : 0o440))
}

/** The visible names are links through `..data`, so they never have to change with the content. */
async function linkNames(root: string, payload: Payload): Promise<void> {
  for (const name of topNames(payload)) {
    if ((await readlinkOrNull(join(root, name))) === null) await symlink(join(DATA, name), join(root, name))
  }
}

async function removeStaleNames(root: string, payload: Payload): Promise<void> {
  const wanted = topNames(payload)
  for (const name of await readdir(root))
    if (!name.startsWith('..') && !wanted.has(name)) await rm(join(root, name), { force: true })
}

const topNames = (payload: Payload): Set<string> => new Set([...payload.keys()].map((path) => path.split('/')[0]!))

async function isSame(folder: string, payload: Payload): Promise<boolean> {
  const existing = await listFiles(folder, '')
  if (existing.length !== payload.size) return false
  for (const path of existing) {
    const file = payload.get(path)
    if (!file || !(await readFile(join(folder, path))).equals(file.content)) return false
  }
  return true
}

async function listFiles(folder: string, prefix: string): Promise<string[]> {
  const files: string[] = []
  for (const entry of await readdir(join(folder, prefix), { withFileTypes: true })) {
    const path = join(prefix, entry.name)
    if (entry.isDirectory()) files.push(...(await listFiles(folder, path)))
    else files.push(path)
  }
  return files
}

async function readlinkOrNull(path: string): Promise<string | null> {
  try {
    return await readlink(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
