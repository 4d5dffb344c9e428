/** Replaces what two servers may choose for themselves (uids, versions, times, addresses) by placeholders that keep equality. */

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g
const TIME = /20(?:2[6-9])-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(?:Z|[+-]\d\d:\d\d)/g
const SERVICE_ADDRESS = /\b10\.(?:96|97|98|99|10\d|11[01])\.\d+\.\d+\b/g
const TOKEN_VOLUME = /kube-api-access-[a-z0-9]{5}(?![a-z0-9])/g
const TOKEN = /eyJ[\w-]+\.[\w-]+\.[\w-]+/g
const AGE = /^(\d+[smhdy])+$/
const CREDENTIAL = /X509SHA256=[0-9a-f]{64}/g
const NODE_PORT = /:3[0-2]\d{3}\//g

/** One for each server and scenario: the same value gets the same placeholder. */
export class Normalizer {
  readonly #numbers = new Map<string, Map<string, number>>()

  value(value: unknown, key = ''): unknown {
    if (Array.isArray(value)) return this.#list(value, key)
    if (value !== null && typeof value === 'object') return this.#object(value as Record<string, unknown>)
    if (typeof value === 'string') return key === 'resourceVersion' ? this.#version(value) : this.text(value)
    if ((key === 'nodePort' || key === 'healthCheckNodePort') && Number(value) >= 30_000)
      return this.#number('port', String(value))
    return value
  }

  text(text: string): string {
    return text
      .replaceAll('kubernetes-admin', 'admin')
      .replace(TOKEN, '<jwt>')
      .replace(UUID, (found) => this.#number('uid', found))
      .replace(TIME, (_found, fraction: string | undefined) => (fraction === undefined ? '<time>' : '<micro-time>'))
      .replace(SERVICE_ADDRESS, (found) => this.#number('ip', found))
      .replace(TOKEN_VOLUME, (found) => this.#number('token-volume', found))
      .replace(CREDENTIAL, '<credential>')
      .replace(NODE_PORT, ':<port>/')
      .replace(/current: \d+/g, 'current: <version>')
  }

  #object(value: Record<string, unknown>): Record<string, unknown> {
    const made: Record<string, unknown> = {}
    const generated = generatedName(value)
    for (const [key, item] of Object.entries(value)) {
      if (key === 'resourceVersion' && Object.hasOwn(value, 'continue')) continue
      if (key === 'cells' && Array.isArray(item))
        made[key] = this.value(item.map((cell) => (typeof cell === 'string' && AGE.test(cell) ? '<age>' : cell)))
      else if (key === 'username') made[key] = '<user>'
      else if (key === 'name' && generated) made[key] = '<generated>'
      else if (key === 'columnDefinitions' && Array.isArray(item))
        made[key] = item.map((column) => ({ ...column, description: undefined }))
      else made[this.text(key)] = this.value(item, key)
    }
    return made
  }

  #list(list: readonly unknown[], key: string): unknown[] {
    const made = list.map((item) => this.value(item, key))
    return key === 'managedFields' ? made.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : made
  }

  #version(version: string): string {
    return /^[1-9]\d*$/.test(version) ? this.#number('version', version) : version
  }

  #number(what: string, value: string): string {
    const known = this.#numbers.get(what) ?? new Map<string, number>()
    this.#numbers.set(what, known)
    if (!known.has(value)) known.set(value, known.size + 1)
    return `<${what}:${known.get(value)}>`
  }
}

function generatedName(value: Record<string, unknown>): boolean {
  const { generateName, name } = value
  return (
    typeof generateName === 'string' &&
    typeof name === 'string' &&
    generateName !== '' &&
    name.startsWith(generateName.slice(0, 58))
  )
}
