/** Imports images that other tools saved: `docker save` archives, and OCI layouts as a tar (plain or gzip) or a folder. */
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { copyFile, mkdir, mkdtemp, open, readFile, rm, stat } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { extract } from 'tar-stream'
import {
  CONFIG_TYPE,
  LAYER_TYPE,
  MANIFEST_TYPE,
  parseImageName,
  type Descriptor,
  type ImageStore,
} from './image-store.ts'

type AnnotatedDescriptor = Descriptor & { readonly annotations?: Readonly<Record<string, string>> }
type OciManifest = {
  readonly mediaType?: string
  readonly config?: Descriptor
  readonly layers?: readonly Descriptor[]
  readonly manifests?: readonly AnnotatedDescriptor[]
}
type DockerImage = {
  readonly Config: string
  readonly RepoTags: readonly string[] | null
  readonly Layers: readonly string[]
}

/** The archive is not an image, is cut, or names no image; the message says which. */
export class ImageArchiveError extends Error {}

/** Loads all images of the archive or folder; answers their names. Nothing is tagged unless all its blobs are there. */
export async function loadImages(images: ImageStore, path: string, scratchDir: string): Promise<string[]> {
  const info = await stat(path).catch(() => null)
  if (info === null) throw new ImageArchiveError(`${path}: no such file or folder`)
  if (info.isDirectory()) return loadFolder(images, path, path)
  await mkdir(scratchDir, { recursive: true })
  const folder = await mkdtemp(join(scratchDir, 'incoming-'))
  try {
    await unpack(path, folder)
    return await loadFolder(images, folder, path)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function loadFolder(images: ImageStore, folder: string, source: string): Promise<string[]> {
  const index = await readJson<OciManifest>(join(folder, 'index.json'))
  const docker = await readJson<DockerImage[]>(join(folder, 'manifest.json'))
  const names: string[] = []
  if (index !== null) names.push(...(await loadOciLayout(images, folder, index)))
  if (names.length === 0 && docker !== null) names.push(...(await loadDockerArchive(images, folder, docker)))
  if (names.length > 0) return names
  if (index === null && docker === null)
    throw new ImageArchiveError(`${source}: neither an OCI layout (index.json) nor a docker archive (manifest.json)`)
  throw new ImageArchiveError(`${source}: none of its images has a name; save it by name (docker save NAME:TAG)`)
}

async function loadOciLayout(images: ImageStore, folder: string, index: OciManifest): Promise<string[]> {
  const names: string[] = []
  for (const descriptor of index.manifests ?? []) {
    const name =
      descriptor.annotations?.['io.containerd.image.name'] ??
      descriptor.annotations?.['org.opencontainers.image.ref.name']
    if (name === undefined) continue
    await copyTree(images, folder, descriptor)
    const { mediaType, digest, size } = descriptor
    await images.tag(parseImageName(name), { mediaType, digest, size })
    names.push(name)
  }
  return names
}

/** Copies a manifest or index with all that it names. An index may lack the blobs of platforms that were not saved. */
async function copyTree(images: ImageStore, folder: string, descriptor: Descriptor): Promise<void> {
  const manifest = JSON.parse((await readBlob(folder, descriptor)).toString()) as OciManifest
  if (manifest.manifests !== undefined) {
    let copied = 0
    for (const child of manifest.manifests) {
      if ((await stat(blobFile(folder, child.digest)).catch(() => null)) === null) continue
      await copyTree(images, folder, child)
      copied++
    }
    if (copied === 0) throw new ImageArchiveError(`index ${descriptor.digest}: none of its platforms is in the archive`)
  } else {
    for (const blob of [manifest.config, ...(manifest.layers ?? [])]) {
      if (blob === undefined) throw new ImageArchiveError(`manifest ${descriptor.digest} has no config`)
      await copyBlob(images, folder, blob)
    }
  }
  await copyBlob(images, folder, descriptor)
}

async function copyBlob(images: ImageStore, folder: string, descriptor: Descriptor): Promise<void> {
  if ((await images.blobSize(descriptor.digest)) === descriptor.size) return
  const file = blobFile(folder, descriptor.digest)
  const digest = await digestOfFile(file).catch(() => null)
  if (digest === null) throw new ImageArchiveError(`blob ${descriptor.digest} is named but not in the archive`)
  if (digest !== descriptor.digest)
    throw new ImageArchiveError(`blob ${descriptor.digest} is damaged: it hashes to ${digest}`)
  const target = images.blobPath(digest)
  await mkdir(dirname(target), { recursive: true })
  const temporary = `${target}.${process.pid}.tmp`
  await copyFile(file, temporary)
  await images.adoptBlob(temporary, digest)
}

async function loadDockerArchive(
  images: ImageStore,
  folder: string,
  archive: readonly DockerImage[],
): Promise<string[]> {
  const names: string[] = []
  for (const image of archive) {
    const layers: Descriptor[] = []
    for (const layer of image.Layers) layers.push(await storeFile(images, join(folder, safePath(layer)), LAYER_TYPE))
    const config = await storeFile(images, join(folder, safePath(image.Config)), CONFIG_TYPE)
    const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST_TYPE, config, layers }))
    const digest = await images.writeBlob(manifest)
    for (const name of image.RepoTags ?? []) {
      await images.tag(parseImageName(name), { mediaType: MANIFEST_TYPE, digest, size: manifest.length })
      names.push(name)
    }
  }
  return names
}

async function storeFile(images: ImageStore, file: string, mediaType: string): Promise<Descriptor> {
  const info = await stat(file).catch(() => null)
  if (info === null)
    throw new ImageArchiveError(`${file.split('/').slice(-2).join('/')} is named but not in the archive`)
  const digest = await digestOfFile(file)
  const gzip = mediaType === LAYER_TYPE && (await isGzip(file))
  const target = images.blobPath(digest)
  await mkdir(dirname(target), { recursive: true })
  const temporary = `${target}.${process.pid}.tmp`
  await copyFile(file, temporary)
  await images.adoptBlob(temporary, digest)
  return { mediaType: gzip ? `${mediaType}+gzip` : mediaType, digest, size: info.size }
}

async function unpack(archive: string, folder: string): Promise<void> {
  const reader = extract()
  const source = createReadStream(archive)
  const feed = (await isGzip(archive)) ? pipeline(source, createGunzip(), reader) : pipeline(source, reader)
  feed.catch((error: unknown) => reader.destroy(error as Error))
  try {
    for await (const entry of reader) {
      if (entry.header.type !== 'file') {
        entry.resume()
        continue
      }
      const target = join(folder, safePath(entry.header.name))
      await mkdir(dirname(target), { recursive: true })
      await pipeline(entry, createWriteStream(target))
    }
    await feed
  } catch (error) {
    if (error instanceof ImageArchiveError) throw error
    throw new ImageArchiveError(`${archive}: cannot be read as a tar archive (${(error as Error).message})`)
  }
}

/** A hostile archive must not write outside its folder. */
function safePath(name: string): string {
  const path = normalize(name)
  if (path.startsWith('/') || path.startsWith('..'))
    throw new ImageArchiveError(`the archive holds a path outside itself: ${name}`)
  return path
}

const blobFile = (folder: string, digest: string): string =>
  join(folder, safePath(join('blobs', digest.replace(':', '/'))))

async function readBlob(folder: string, descriptor: Descriptor): Promise<Buffer> {
  return readFile(blobFile(folder, descriptor.digest)).catch(() => {
    throw new ImageArchiveError(`blob ${descriptor.digest} is named but not in the archive`)
  })
}

async function digestOfFile(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  return `sha256:${hash.digest('hex')}`
}

async function isGzip(file: string): Promise<boolean> {
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0)
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b
  } finally {
    await handle.close()
  }
}

async function readJson<T>(path: string): Promise<T | null> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (text === null) return null
  try {
    return JSON.parse(text) as T
  } catch {
    throw new ImageArchiveError(`${path.split('/').at(-1)} is not JSON`)
  }
}
