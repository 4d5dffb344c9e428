/** Finds the credentials for a registry in a pod's imagePullSecrets. */
import type { Secret } from '#api/core/v1.gen.ts'
import type { RegistryCredentials } from '../runtime/runtime-service.ts'
import { parseImageName } from './image-name.ts'

type DockerEntry = {
  readonly username?: string
  readonly password?: string
  readonly auth?: string
  readonly identitytoken?: string
}

/** The most specific registry path first. A secret that cannot be read gives none. */
export function credentialsFor(image: string, secrets: readonly Secret[]): RegistryCredentials[] {
  const name = parseImageName(image)
  if (!name) return []
  const target = `${name.domain}/${name.path}`
  return secrets
    .flatMap(entriesOf)
    .filter(([registry]) => matches(registry, target))
    .sort(([a], [b]) => b.length - a.length)
    .map(([, entry]) => toCredentials(entry))
}

function entriesOf(secret: Secret): [string, DockerEntry][] {
  const read = (key: string): unknown => {
    const value = secret.data?.[key]
    if (value === undefined) return null
    try {
      return JSON.parse(Buffer.from(value, 'base64').toString())
    } catch {
      return null // A broken secret is as good as none: the pull's own error tells the user.
    }
  }
  const modern = read('.dockerconfigjson') as { readonly auths?: Record<string, DockerEntry> } | null
  const legacy = read('.dockercfg') as Record<string, DockerEntry> | null
  return Object.entries({ ...legacy, ...modern?.auths }).map(([registry, entry]) => [simplify(registry), entry])
}

/** `https://index.docker.io/v1/` is Docker Hub's old name. */
function simplify(registry: string): string {
  const bare = registry.replace(/^https?:\/\//, '').replace(/\/+$/, '')
  return /^(index\.)?docker\.io(\/v[12])?$/.test(bare) ? 'docker.io' : bare.replace(/\/v[12]$/, '')
}

/** `*.example.com` stands for one label; a path has to be a prefix. */
function matches(registry: string, target: string): boolean {
  const [host = '', ...path] = registry.split('/')
  const [targetHost = '', ...targetPath] = target.split('/')
  const labels = host.split('.')
  const targetLabels = targetHost.split('.')
  const sameHost =
    labels.length === targetLabels.length &&
    labels.every((label, index) => label === '*' || label === targetLabels[index])
  return sameHost && `${targetPath.join('/')}/`.startsWith(path.length === 0 ? '' : `${path.join('/')}/`)
}

function toCredentials(entry: DockerEntry): RegistryCredentials {
  const decoded = entry.auth === undefined ? '' : Buffer.from(entry.auth, 'base64').toString()
  const colon = decoded.indexOf(':')
  return {
    username: entry.username ?? decoded.slice(0, Math.max(colon, 0)),
    password: entry.password ?? decoded.slice(colon + 1),
    ...(entry.identitytoken !== undefined && { identityToken: entry.identitytoken }),
  }
}
