/** Builds the image of the examples and tests from this machine's static busybox: `node scripts/build-example-image.ts OUT.tar`. */
import { execFileSync } from 'node:child_process'
import { createWriteStream, existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { pack } from 'tar-stream'
import { buildLayer, storeManifest, type LayerFile } from '#cluster/images/build-image.ts'
import { ImageStore } from '#cluster/images/image-store.ts'
import { OCI_ARCHITECTURE } from '#cluster/images/pause-image.ts'

export const EXAMPLE_IMAGE = 'example.test/shell:1'
const BUSYBOX_PATHS = ['/usr/bin/busybox', '/bin/busybox']

/** Writes an OCI layout as a tar, ready for `kubets image load`. */
export async function buildExampleImage(target: string): Promise<void> {
  const busybox = BUSYBOX_PATHS.find((path) => existsSync(path))
  if (busybox === undefined) throw new Error('busybox is missing: apt-get install busybox-static')
  const scratch = await mkdtemp(join(tmpdir(), 'example-image-'))
  try {
    const images = new ImageStore(scratch)
    const layer = await buildLayer(await shellFiles(busybox))
    const manifest = await storeManifest(images, OCI_ARCHITECTURE[process.arch]!, layer, {
      Cmd: ['sh'],
      Env: ['PATH=/bin'],
    })
    const index = {
      schemaVersion: 2,
      manifests: [{ ...manifest, annotations: { 'io.containerd.image.name': EXAMPLE_IMAGE } }],
    }
    const config = JSON.parse(await readFile(images.blobPath(manifest.digest), 'utf8')) as {
      config: { digest: string }
      layers: { digest: string }[]
    }
    const archive = pack()
    archive.entry({ name: 'oci-layout' }, JSON.stringify({ imageLayoutVersion: '1.0.0' }))
    archive.entry({ name: 'index.json' }, JSON.stringify(index))
    for (const digest of [manifest.digest, config.config.digest, config.layers[0]!.digest])
      archive.entry({ name: `blobs/${digest.replace(':', '/')}` }, await readFile(images.blobPath(digest)))
    archive.finalize()
    await pipeline(archive, createWriteStream(target))
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** busybox under the name of each of its programs, and the few files a program expects of a system. */
async function shellFiles(busybox: string): Promise<LayerFile[]> {
  const applets = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n')
  return [
    { path: 'bin/', mode: 0o755, directory: true },
    { path: 'bin/busybox', mode: 0o755, content: await readFile(busybox) },
    ...applets.filter((name) => name !== 'busybox').map((name) => ({ path: `bin/${name}`, linkTo: 'busybox' })),
    { path: 'etc/', mode: 0o755, directory: true },
    {
      path: 'etc/passwd',
      mode: 0o644,
      content: Buffer.from('root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n'),
    },
    { path: 'etc/group', mode: 0o644, content: Buffer.from('root:x:0:\nnogroup:x:65534:\n') },
    { path: 'root/', mode: 0o700, directory: true },
    { path: 'tmp/', mode: 0o1777, directory: true },
    { path: 'www/', mode: 0o755, directory: true },
  ]
}

if (import.meta.main) await buildExampleImage(process.argv[2] ?? 'example-image.tar')
