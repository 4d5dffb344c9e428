/** Reads and writes kubeconfig files: where an API server is, how to trust it, and who one is. */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { dump, load } from 'js-yaml'

/** What a transport needs; files are already read, except for the token file, which is read again as it rotates. */
export type ConnectionConfig = {
  /** `https://host:port`, perhaps with a path. */
  readonly server: string
  /** PEM; undefined: the system's authorities. */
  readonly certificateAuthority?: string
  readonly insecureSkipTlsVerify?: boolean
  /** Name to expect in the server's certificate instead of the host. */
  readonly tlsServerName?: string
  readonly clientCertificate?: string
  readonly clientKey?: string
  readonly token?: string
  readonly tokenFile?: string
  /** Namespace of the context. */
  readonly namespace?: string
}

export class KubeconfigError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'KubeconfigError'
  }
}

type Fields = Readonly<Record<string, unknown>>

/** Throws KubeconfigError that names the file and what is wrong with it. */
export async function loadKubeconfig(path: string, contextName?: string): Promise<ConnectionConfig> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new KubeconfigError(`cannot read kubeconfig ${path}: ${error.message}`)
  })
  const root = parse(path, text)
  const name = contextName ?? stringField(root, 'current-context') ?? ''
  const context = entryOf(path, root, 'contexts', 'context', name)
  const cluster = entryOf(path, root, 'clusters', 'cluster', stringField(context, 'cluster') ?? '')
  const userName = stringField(context, 'user') ?? ''
  const user = userName === '' ? {} : entryOf(path, root, 'users', 'user', userName)
  const server = stringField(cluster, 'server')
  if (server === undefined)
    throw new KubeconfigError(`kubeconfig ${path}: the cluster of context "${name}" has no server`)
  if (user['exec'] !== undefined)
    throw new KubeconfigError(
      `kubeconfig ${path}: user "${userName}" gets its credentials from a program (exec), which is not supported`,
    )
  const folder = dirname(path)
  const tokenFile = stringField(user, 'tokenFile')
  return {
    server: server.replace(/\/+$/, ''),
    ...optional('certificateAuthority', await pemField(folder, cluster, 'certificate-authority')),
    ...optional('insecureSkipTlsVerify', cluster['insecure-skip-tls-verify'] === true || undefined),
    ...optional('tlsServerName', stringField(cluster, 'tls-server-name')),
    ...optional('clientCertificate', await pemField(folder, user, 'client-certificate')),
    ...optional('clientKey', await pemField(folder, user, 'client-key')),
    ...optional('token', stringField(user, 'token')),
    ...optional('tokenFile', tokenFile === undefined ? undefined : resolve(folder, tokenFile)),
    ...optional('namespace', stringField(context, 'namespace')),
  }
}

/** Where a pod finds its API server and its own token. */
export async function inClusterConfig(environment: NodeJS.ProcessEnv): Promise<ConnectionConfig> {
  const folder = '/var/run/secrets/kubernetes.io/serviceaccount'
  const [host, port] = [environment['KUBERNETES_SERVICE_HOST'], environment['KUBERNETES_SERVICE_PORT']]
  if (!host || !port)
    throw new KubeconfigError('not in a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set')
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    certificateAuthority: await readFile(`${folder}/ca.crt`, 'utf8'),
    tokenFile: `${folder}/token`,
  }
}

/** The text of a kubeconfig with one context, all in one file. */
export function renderKubeconfig(
  config: ConnectionConfig,
  names: { readonly cluster: string; readonly user: string },
): string {
  const encode = (pem: string): string => Buffer.from(pem).toString('base64')
  const context = `${names.user}@${names.cluster}`
  const cluster = {
    server: config.server,
    ...(config.certificateAuthority === undefined
      ? {}
      : { 'certificate-authority-data': encode(config.certificateAuthority) }),
    ...(config.tlsServerName === undefined ? {} : { 'tls-server-name': config.tlsServerName }),
  }
  const user = {
    ...(config.clientCertificate === undefined ? {} : { 'client-certificate-data': encode(config.clientCertificate) }),
    ...(config.clientKey === undefined ? {} : { 'client-key-data': encode(config.clientKey) }),
    ...(config.token === undefined ? {} : { token: config.token }),
    ...(config.tokenFile === undefined ? {} : { tokenFile: config.tokenFile }),
  }
  const namespace = config.namespace === undefined ? {} : { namespace: config.namespace }
  return dump(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: names.cluster, cluster }],
      users: [{ name: names.user, user }],
      contexts: [{ name: context, context: { cluster: names.cluster, user: names.user, ...namespace } }],
      'current-context': context,
    },
    { lineWidth: -1 },
  )
}

function parse(path: string, text: string): Fields {
  try {
    const root: unknown = load(text)
    if (typeof root === 'object' && root !== null) return root as Fields
  } catch (error) {
    throw new KubeconfigError(`kubeconfig ${path} is no YAML: ${(error as Error).message.split('\n')[0]}`)
  }
  throw new KubeconfigError(`kubeconfig ${path} is empty`)
}

function entryOf(path: string, root: Fields, list: string, field: string, name: string): Fields {
  const entries = (root[list] ?? []) as readonly Fields[]
  const entry = entries.find((one) => one['name'] === name)
  if (entry === undefined) throw new KubeconfigError(`kubeconfig ${path}: there is no "${name}" in ${list}`)
  return (entry[field] ?? {}) as Fields
}

function stringField(fields: Fields, name: string): string | undefined {
  const value = fields[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** `NAME-data` holds the text itself, `NAME` the path of a file; the text wins. */
async function pemField(folder: string, fields: Fields, name: string): Promise<string | undefined> {
  const data = stringField(fields, `${name}-data`)
  if (data !== undefined) return Buffer.from(data, 'base64').toString()
  const file = stringField(fields, name)
  return file === undefined ? undefined : readFile(resolve(folder, file), 'utf8')
}

function optional<K extends string, V>(key: K, value: V | undefined): { [key in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [key in K]?: V }
}
