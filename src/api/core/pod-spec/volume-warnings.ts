/** Warns of volumes whose drivers are gone, and of files in a volume that hide each other. */
import type { DownwardAPIVolumeFile, KeyToPath, Volume, VolumeProjection } from '#api/core/v1.gen.ts'
import { fractionWarning } from './fraction-warnings.ts'

/** Field, as upstream names it, and what became of it. */
const GONE: readonly (readonly [keyof Volume, string, string])[] = [
  ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'gitRepo', 'deprecated in v1.11, and disabled by default in v1.33+'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
]

export function volumeWarnings(volumes: readonly Volume[], path: string): string[] {
  return [
    ...volumes.flatMap((volume, i) => [
      ...GONE.filter(([field]) => volume[field] !== undefined).map(
        ([, name, text]) => `${path}[${i}].${name}: ${text}`,
      ),
      ...claimWarnings(volume, `${path}[${i}].ephemeral.volumeClaimTemplate.spec`),
    ]),
    ...volumes.flatMap(overlapWarnings),
  ]
}

function claimWarnings({ ephemeral }: Volume, path: string): string[] {
  const resources = ephemeral?.volumeClaimTemplate?.spec?.resources
  return (['requests', 'limits'] as const).flatMap((part) =>
    fractionWarning(resources?.[part]?.['storage'], `${path}.resources.${part}[storage]`),
  )
}

type File = { readonly path: string; readonly source: string }

function overlapWarnings(volume: Volume): string[] {
  const { name, configMap, secret, downwardAPI, projected } = volume
  const warn = (kind: string, files: readonly File[][]): string[] =>
    collisions(files).map((text) => `volume ${JSON.stringify(name)} (${kind}): overlapping paths: ${text}`)
  const warnings: string[] = []
  if (configMap?.items)
    warnings.push(...warn(`ConfigMap ${JSON.stringify(configMap.name ?? '')}`, [filesOf(configMap.items, '')]))
  if (secret?.items)
    warnings.push(...warn(`Secret ${JSON.stringify(secret.secretName ?? '')}`, [filesOf(secret.items, '')]))
  if (downwardAPI?.items) warnings.push(...warn('DownwardAPI', [filesOf(downwardAPI.items, '')]))
  if (projected) {
    const sources = projected.sources ?? []
    for (const source of sources)
      if (Object.keys(source).length === 0)
        warnings.push(`volume ${JSON.stringify(name)} (Projected) has no sources provided`)
    warnings.push(...warn('Projected', sources.map(projectedFiles)))
  }
  return warnings
}

function filesOf(items: readonly (KeyToPath | DownwardAPIVolumeFile)[], source: string): File[] {
  return items.map(({ path }) => ({ path, source }))
}

function projectedFiles(projection: VolumeProjection): File[] {
  const { configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle, podCertificate } = projection
  if (configMap?.items) return filesOf(configMap.items, `ConfigMap ${JSON.stringify(configMap.name ?? '')}`)
  if (secret?.items) return filesOf(secret.items, `Secret ${JSON.stringify(secret.name ?? '')}`)
  if (downwardAPI?.items) return filesOf(downwardAPI.items, 'DownwardAPI')
  if (serviceAccountToken) return [{ path: serviceAccountToken.path, source: 'ServiceAccountToken' }]
  if (clusterTrustBundle) {
    const name = clusterTrustBundle.name ?? clusterTrustBundle.signerName ?? ''
    return [{ path: clusterTrustBundle.path, source: `ClusterTrustBundle ${JSON.stringify(name)}` }]
  }
  const { certificateChainPath = '', keyPath = '', credentialBundlePath = '' } = podCertificate ?? {}
  return [
    { path: certificateChainPath, source: 'PodCertificate chain' },
    { path: keyPath, source: 'PodCertificate key' },
    { path: credentialBundlePath, source: 'PodCertificate credential bundle' },
  ].filter(({ path }) => path !== '')
}

function collisions(groups: readonly File[][]): string[] {
  const before: File[] = []
  const texts: string[] = []
  for (const { path, source } of groups.flat()) {
    const file = { path: path.replace(/\/+$/, ''), source }
    for (const other of before)
      if (doOverlap(file.path, other.path)) texts.push(`${format(file)} with ${format(other)}`)
    before.push(file)
  }
  return texts
}

function doOverlap(left: string, right: string): boolean {
  if (left === '' || right === '') return false
  return `${left}/`.startsWith(`${right}/`) || `${right}/`.startsWith(`${left}/`)
}

function format({ path, source }: File): string {
  return source === '' ? JSON.stringify(path) : `${JSON.stringify(path)} (${source})`
}
