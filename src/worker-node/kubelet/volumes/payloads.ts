/** Makes the files of ConfigMap, Secret, downward API and token volumes; each source also stands inside a projected volume. */
import type {
  ConfigMap,
  DownwardAPIVolumeFile,
  KeyToPath,
  Secret,
  ServiceAccountTokenProjection,
} from '#api/core/v1.gen.ts'
import { fieldValue, resourceValue } from '../containers/field-values.ts'
import { writeAtomically, type Payload, type VolumeFile } from './atomic-writer.ts'
import type { VolumeContext } from './volume-plugin.ts'

export const DEFAULT_FILE_MODE = 0o644

type KeySource = {
  readonly items?: readonly (KeyToPath & { readonly user?: number })[]
  readonly optional?: boolean
  readonly defaultMode: number
}

export async function configMapFiles(context: VolumeContext, name: string, source: KeySource): Promise<Payload> {
  const namespace = context.pod.metadata.namespace ?? 'default'
  const configMap = await context.sources.configMap(namespace, name)
  if (!configMap && !source.optional) throw new Error(`configmap "${name}" not found`)
  return pickKeys(contentOf(configMap), source, 'configmap references non-existent config key')
}

function contentOf(configMap: ConfigMap | null): Map<string, Buffer> {
  return new Map([
    ...Object.entries(configMap?.data ?? {}).map(([key, value]): [string, Buffer] => [key, Buffer.from(value)]),
    ...Object.entries(configMap?.binaryData ?? {}).map(([key, value]): [string, Buffer] => [
      key,
      Buffer.from(value, 'base64'),
    ]),
  ])
}

export async function secretFiles(context: VolumeContext, name: string, source: KeySource): Promise<Payload> {
  const namespace = context.pod.metadata.namespace ?? 'default'
  const secret: Secret | null = await context.sources.secret(namespace, name)
  if (!secret && !source.optional) throw new Error(`secret "${name}" not found`)
  const content = new Map(
    Object.entries(secret?.data ?? {}).map(([key, value]): [string, Buffer] => [key, Buffer.from(value, 'base64')]),
  )
  return pickKeys(content, source, 'references non-existent secret key')
}

function pickKeys(content: ReadonlyMap<string, Buffer>, source: KeySource, missing: string): Payload {
  if (!source.items)
    return new Map([...content].map(([key, value]) => [key, { content: value, mode: source.defaultMode }]))
  const files = new Map<string, VolumeFile>()
  for (const { key, path, mode = source.defaultMode, user } of source.items) {
    const value = content.get(key)
    if (value !== undefined) files.set(path, { content: value, mode, ...(user !== undefined && { uid: user }) })
    else if (!source.optional) throw new Error(`${missing}: ${key}`)
  }
  return files
}

export function downwardApiFiles(
  context: VolumeContext,
  items: readonly DownwardAPIVolumeFile[],
  defaultMode: number,
): Payload {
  return new Map(
    items.map(({ path, mode = defaultMode, fieldRef, resourceFieldRef, user }) => {
      const text = fieldRef
        ? fieldValue(context.pod, fieldRef, context.facts)
        : resourceValue(context.pod, resourceFieldRef!, context.facts)
      return [path, { content: Buffer.from(text), mode, ...(user !== undefined && { uid: user }) }]
    }),
  )
}

/** Readable for the one user that all containers run as, else only for root and fsGroup; upstream's rule. */
export async function tokenFiles(
  context: VolumeContext,
  projection: ServiceAccountTokenProjection,
  defaultMode: number,
): Promise<Payload> {
  const { pod, tokens, signal } = context
  const token = await tokens.get(
    { pod, audience: projection.audience ?? '', expirationSeconds: projection.expirationSeconds ?? 3600 },
    signal,
  )
  const uid = projection.user ?? commonUser(context)
  const hasFsGroup = pod.spec.securityContext?.fsGroup !== undefined
  const mode = hasFsGroup ? 0o600 : uid !== undefined ? 0o600 : defaultMode
  return new Map([[projection.path, { content: Buffer.from(token), mode, ...(uid !== undefined && { uid }) }]])
}

function commonUser({ pod }: VolumeContext): number | undefined {
  if (pod.spec.securityContext?.fsGroup !== undefined) return undefined
  const users = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map(
    (container) => container.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser,
  )
  return users.every((user) => user === users[0]) ? users[0] : undefined
}

/** The write that all live volumes share. */
export async function writePayload(context: VolumeContext, payload: Payload): Promise<void> {
  const fsGroup = context.pod.spec.securityContext?.fsGroup
  await writeAtomically(context.path, payload, {
    version: context.clock.now(),
    ...(fsGroup !== undefined && { fsGroup }),
  })
}
