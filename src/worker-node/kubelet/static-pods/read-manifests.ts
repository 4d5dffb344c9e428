/** Reads the manifests of static pods from a folder: pods that this node runs without asking the API server. */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { load } from 'js-yaml'
import type { Pod } from '#api/core/v1.gen.ts'
import { formatTime } from '../pods/pod-conditions.ts'
import { CONFIG_HASH, CONFIG_SEEN, CONFIG_SOURCE } from '../runtime/labels.ts'

export type Manifest = { readonly file: string; readonly text: string }

/** Files that are being written (`.x.swp`, dot files) are left alone. */
export async function readManifests(folder: string): Promise<Manifest[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const files = entries.filter((entry) => entry.isFile() && !entry.name.startsWith('.')).map((entry) => entry.name)
  return await Promise.all(
    files.sort().map(async (file) => ({ file, text: await readFile(join(folder, file), 'utf8') })),
  )
}

/** The pod as the kubelet sees it: named after the node, with a uid made of its content. Throws for what is no pod. */
export function staticPodOf({ file, text }: Manifest, nodeName: string, nowMs: number): Pod {
  const parsed = parseYaml(file, text) as Partial<Pod> | null
  if (parsed?.kind !== 'Pod' || !parsed.metadata?.name || !parsed.spec?.containers?.length)
    throw new Error(`manifest ${file} is no Pod with a name and containers`)
  const hash = createHash('md5').update(`${nodeName}/${file}/${text}`).digest('hex')
  const uid = parsed.metadata.uid || hash
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...parsed.metadata,
      name: `${parsed.metadata.name}-${nodeName}`,
      namespace: parsed.metadata.namespace || 'default',
      uid,
      resourceVersion: '',
      creationTimestamp: formatTime(nowMs),
      annotations: {
        ...parsed.metadata.annotations,
        [CONFIG_SOURCE]: 'file',
        [CONFIG_HASH]: uid,
        [CONFIG_SEEN]: new Date(nowMs).toISOString(),
      },
    },
    spec: {
      restartPolicy: 'Always',
      dnsPolicy: 'ClusterFirst',
      enableServiceLinks: true,
      ...parsed.spec,
      nodeName,
      // A static pod belongs to its node, whatever befalls that.
      tolerations: [...(parsed.spec.tolerations ?? []), { operator: 'Exists', effect: 'NoExecute' }],
    },
    status: { phase: 'Pending' },
  }
}

function parseYaml(file: string, text: string): unknown {
  try {
    return load(text)
  } catch (error) {
    throw new Error(`manifest ${file} is no Pod: ${(error as Error).message.split('\n')[0]}`, { cause: error })
  }
}
