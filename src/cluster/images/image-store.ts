/** Images on disk, as the registry serves them: content-addressed blobs, and one small file per image name that points at a manifest. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json'
export const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json'
export const CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json'
export const LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar'

export type Descriptor = { readonly mediaType: string; readonly digest: string; readonly size: number }

export type ImageReference = {
  /** `docker.io`, `registry.k8s.io`, `localhost:5000`. */
  readonly registry: string
  /** `library/busybox`. */
  readonly repository: string
  /** Tag or `sha256:…`. */
  readonly reference: string
}

/** Splits an image name by Docker's rules: no registry means docker.io, no folder there means library/, no tag means latest. */
export function parseImageName(name: string): ImageReference {
  const at = name.indexOf('@')
  const digest = at < 0 ? '' : name.slice(at + 1)
  const withTag = at < 0 ? name : name.slice(0, at)
  const colon = withTag.lastIndexOf(':')
  const hasTag = colon > withTag.lastIndexOf('/')
  const path = hasTag ? withTag.slice(0, colon) : withTag
  const tag = hasTag ? withTag.slice(colon + 1) : 'latest'
  const slash = path.indexOf('/')
  const first = slash < 0 ? '' : path.slice(0, slash)
  const isRegistry = first.includes('.') || first.includes(':') || first === 'localhost'
  const registry = isRegistry ? first : 'docker.io'
  const rest = isRegistry ? path.slice(slash + 1) : path
  const repository = registry === 'docker.io' && !rest.includes('/') ? `library/${rest}` : rest
  return { registry, repository, reference: digest === '' ? tag : digest }
}

export function digestOf(content: Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`
}

const DIGEST_PATTERN = /^sha256:[0-9a-f]{64}$/

export class ImageStore {
  readonly #dir: string
  constructor(dir: string) {
    this.#dir = dir
  }

  blobPath(digest: string): string {
    return join(this.#dir, 'blobs', digest.replace(':', '/'))
  }

  /** Size in bytes, or null when the blob is not here. */
  async blobSize(digest: string): Promise<number | null> {
    if (!DIGEST_PATTERN.test(digest)) return null
    return (await stat(this.blobPath(digest)).catch(nullIfAbsent))?.size ?? null
  }

  readBlob(digest: string): NodeJS.ReadableStream {
    return createReadStream(this.blobPath(digest))
  }

  /** Stores a blob under its digest; writing the same one twice is harmless. */
  async writeBlob(content: Uint8Array): Promise<string> {
    const digest = digestOf(content)
    await writeWhole(this.blobPath(digest), content)
    return digest
  }

  /** Moves a finished temporary file into the blobs. */
  async adoptBlob(temporaryPath: string, digest: string): Promise<void> {
    await mkdir(dirname(this.blobPath(digest)), { recursive: true })
    await rename(temporaryPath, this.blobPath(digest))
  }

  /** Points `name` at a manifest or index blob; the older one under the same name is replaced. */
  async tag(name: ImageReference, descriptor: Descriptor): Promise<void> {
    await writeWhole(this.#referencePath(name), Buffer.from(JSON.stringify(descriptor)))
  }

  /** The manifest of a name: by tag, or by digest whatever the repository. */
  async resolve(name: ImageReference): Promise<Descriptor | null> {
    if (DIGEST_PATTERN.test(name.reference)) return this.#describe(name.reference)
    const text = await readFile(this.#referencePath(name), 'utf8').catch(nullIfAbsent)
    return text === null ? null : (JSON.parse(text) as Descriptor)
  }

  /** All names, `docker.io/library/busybox:latest`, sorted. */
  async list(): Promise<string[]> {
    const files = await readdir(join(this.#dir, 'references')).catch(nullIfAbsent)
    return (files ?? []).map((file) => decodeURIComponent(file)).toSorted()
  }

  async #describe(digest: string): Promise<Descriptor | null> {
    const content = await readFile(this.blobPath(digest)).catch(nullIfAbsent)
    if (content === null) return null
    const manifest = JSON.parse(content.toString()) as { mediaType?: string; manifests?: unknown }
    const mediaType = manifest.mediaType ?? (manifest.manifests === undefined ? MANIFEST_TYPE : INDEX_TYPE)
    return { mediaType, digest, size: content.length }
  }

  #referencePath({ registry, repository, reference }: ImageReference): string {
    return join(this.#dir, 'references', encodeURIComponent(`${registry}/${repository}:${reference}`))
  }
}

/** Readers never see half a file: it is written beside its place and then moved. */
async function writeWhole(path: string, content: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const temporary = `${path}.${process.pid}.tmp`
  try {
    await writeFile(temporary, content)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

function nullIfAbsent(error: unknown): null {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
  throw error
}
