/** Image names as users write them and as registries know them. */

const DOMAIN = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::\d+)?$/
const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const TAG = /^\w[\w.-]{0,127}$/
const DIGEST = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}$/

export type ImageName = {
  readonly domain: string
  readonly path: string
  readonly tag: string
  readonly digest: string
}

/** Null for what is no image name. */
export function parseImageName(text: string): ImageName | null {
  const [beforeDigest = '', digest = ''] = text.split('@')
  if (text.split('@').length > 2 || (text.includes('@') && !DIGEST.test(digest))) return null
  const colon = beforeDigest.lastIndexOf(':')
  const hasTag = colon > beforeDigest.lastIndexOf('/')
  const [name, tag] = hasTag ? [beforeDigest.slice(0, colon), beforeDigest.slice(colon + 1)] : [beforeDigest, '']
  if (hasTag && !TAG.test(tag)) return null
  const slash = name.indexOf('/')
  const first = slash < 0 ? '' : name.slice(0, slash)
  const isDomain = first.includes('.') || first.includes(':') || first === 'localhost'
  const domain = isDomain ? first : 'docker.io'
  const rest = isDomain ? name.slice(slash + 1) : name
  if (!DOMAIN.test(domain) || !PATH.test(rest)) return null
  const path = domain === 'docker.io' && !rest.includes('/') ? `library/${rest}` : rest
  return { domain, path, tag: tag === '' && digest === '' ? 'latest' : tag, digest }
}

/** The name with a tag or digest, as the runtime is asked; null for what is no image name. */
export function normalizeImage(text: string): string | null {
  const name = parseImageName(text)
  if (!name) return null
  return text.includes('@') || text.lastIndexOf(':') > text.lastIndexOf('/') ? text : `${text}:${name.tag}`
}
