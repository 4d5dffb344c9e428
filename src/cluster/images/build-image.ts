/** Puts small images made on this machine into the image store: the pause image, and what the example scripts build. */
import { pack } from 'tar-stream'
import {
  CONFIG_TYPE,
  INDEX_TYPE,
  LAYER_TYPE,
  MANIFEST_TYPE,
  parseImageName,
  type Descriptor,
  type ImageStore,
} from './image-store.ts'
import { OCI_ARCHITECTURE, PAUSE_IMAGE, buildPauseProgram } from './pause-image.ts'

export type LayerFile =
  | { readonly path: string; readonly mode: number; readonly content: Buffer }
  | { readonly path: string; readonly linkTo: string }
  | { readonly path: string; readonly mode: number; readonly directory: true }

export type ImageConfig = {
  readonly Entrypoint?: readonly string[]
  readonly Cmd?: readonly string[]
  readonly Env?: readonly string[]
  readonly User?: string
  readonly WorkingDir?: string
}

/** An uncompressed layer; times are zero, so that the same files give the same digest everywhere. */
export async function buildLayer(files: readonly LayerFile[]): Promise<Buffer> {
  const archive = pack()
  for (const file of files) {
    const common = { name: file.path, mtime: new Date(0) }
    if ('linkTo' in file) archive.entry({ ...common, type: 'symlink', linkname: file.linkTo })
    else if ('directory' in file) archive.entry({ ...common, type: 'directory', mode: file.mode })
    else archive.entry({ ...common, mode: file.mode }, file.content)
  }
  archive.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of archive) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** One platform of an image: layer, config and manifest; answers the manifest's descriptor. */
export async function storeManifest(
  images: ImageStore,
  architecture: string,
  layer: Buffer,
  config: ImageConfig,
): Promise<Descriptor> {
  const layerDigest = await images.writeBlob(layer)
  const configBytes = Buffer.from(
    JSON.stringify({ architecture, os: 'linux', config, rootfs: { type: 'layers', diff_ids: [layerDigest] } }),
  )
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: { mediaType: CONFIG_TYPE, digest: await images.writeBlob(configBytes), size: configBytes.length },
      layers: [{ mediaType: LAYER_TYPE, digest: layerDigest, size: layer.length }],
    }),
  )
  return { mediaType: MANIFEST_TYPE, digest: await images.writeBlob(manifest), size: manifest.length }
}

/** The pause image for all platforms that have a pause program. */
export async function storePauseImage(images: ImageStore): Promise<void> {
  const manifests: unknown[] = []
  for (const [architecture, ociName] of Object.entries(OCI_ARCHITECTURE)) {
    const layer = await buildLayer([{ path: 'pause', mode: 0o755, content: buildPauseProgram(architecture) }])
    const descriptor = await storeManifest(images, ociName, layer, { Entrypoint: ['/pause'], User: '65535:65535' })
    manifests.push({ ...descriptor, platform: { architecture: ociName, os: 'linux' } })
  }
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests }))
  const digest = await images.writeBlob(index)
  await images.tag(parseImageName(PAUSE_IMAGE), { mediaType: INDEX_TYPE, digest, size: index.length })
}
