/** OCI image archives for tests: pause, and a busybox with the tools that the tests call. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { pack } from 'tar-stream'
import { buildLayer, type ImageConfig, type LayerFile } from '#cluster/images/build-image.ts'
import { buildPauseProgram, OCI_ARCHITECTURE } from '#cluster/images/pause-image.ts'

export const PAUSE = 'registry.k8s.io/pause:js'
export const BUSYBOX = 'docker.io/library/busybox:test'

const TOOLS = [
  'sh',
  'sleep',
  'cat',
  'echo',
  'true',
  'false',
  'httpd',
  'mkdir',
  'env',
  'id',
  'hostname',
  'dd',
  'ls',
  'kill',
  'wget',
]

export async function pauseArchive(): Promise<Buffer> {
  const layer = await buildLayer([{ path: 'pause', mode: 0o755, content: buildPauseProgram(process.arch) }])
  return await imageArchive(PAUSE, layer, { Entrypoint: ['/pause'], User: '65535:65535' })
}

/** Made of Debian's busybox-static. */
export async function busyboxArchive(): Promise<Buffer> {
  const files: LayerFile[] = [
    { path: 'bin', mode: 0o755, directory: true },
    { path: 'tmp', mode: 0o1777, directory: true },
    { path: 'bin/busybox', mode: 0o755, content: await readFile('/bin/busybox') },
    ...TOOLS.map((tool) => ({ path: `bin/${tool}`, linkTo: 'busybox' })),
  ]
  return await imageArchive(BUSYBOX, await buildLayer(files), { Cmd: ['sh'], Env: ['PATH=/bin'] })
}

async function imageArchive(name: string, layer: Buffer, config: ImageConfig): Promise<Buffer> {
  const blobs = new Map<string, Buffer>()
  const put = (blob: Buffer): { readonly digest: string; readonly size: number } => {
    const digest = `sha256:${createHash('sha256').update(blob).digest('hex')}`
    blobs.set(digest, blob)
    return { digest, size: blob.length }
  }
  const putJson = (value: object): { readonly digest: string; readonly size: number } =>
    put(Buffer.from(JSON.stringify(value)))
  const layerBlob = put(layer)
  const architecture = OCI_ARCHITECTURE[process.arch]
  const rootfs = { type: 'layers', diff_ids: [layerBlob.digest] }
  const prefix = 'application/vnd.oci.image'
  const manifest = putJson({
    schemaVersion: 2,
    mediaType: `${prefix}.manifest.v1+json`,
    config: { mediaType: `${prefix}.config.v1+json`, ...putJson({ architecture, os: 'linux', config, rootfs }) },
    layers: [{ mediaType: `${prefix}.layer.v1.tar`, ...layerBlob }],
  })
  const annotations = { 'io.containerd.image.name': name }
  const index = {
    schemaVersion: 2,
    manifests: [{ mediaType: `${prefix}.manifest.v1+json`, ...manifest, annotations }],
  }
  const archive = pack()
  archive.entry({ name: 'oci-layout' }, JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  archive.entry({ name: 'index.json' }, JSON.stringify(index))
  for (const [digest, blob] of blobs) archive.entry({ name: `blobs/sha256/${digest.slice(7)}` }, blob)
  archive.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of archive) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
