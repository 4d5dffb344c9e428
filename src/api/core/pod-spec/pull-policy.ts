/** When images are pulled. */

export const PULL_POLICIES: readonly string[] = ['Always', 'IfNotPresent', 'Never']

/** Upstream's default: a moving tag is pulled each time, a fixed tag or a digest only when it is missing. */
export function defaultPullPolicy(image: string): string {
  return tagOf(image) === 'latest' ? 'Always' : 'IfNotPresent'
}

/** The tag of an image reference; `latest` when it names neither a tag nor a digest; empty for what is no reference. */
function tagOf(image: string): string {
  const match = REFERENCE.exec(image)
  if (match === null) return ''
  const [, repository = '', tag, digest] = match
  if (repository.length > REPOSITORY_LENGTH_MAX) return ''
  return tag ?? (digest === undefined ? 'latest' : '')
}

/** Longer names of repositories are no references. */
const REPOSITORY_LENGTH_MAX = 255

/** Repository (with a registry's host, perhaps), tag, digest; after the grammar of container image references. */
const REFERENCE =
  /^((?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*(?::[0-9]+)?\/|\[[a-fA-F0-9:]+\](?::[0-9]+)?\/)?[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*)(?::(\w[\w.-]{0,127}))?(?:@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?$/
