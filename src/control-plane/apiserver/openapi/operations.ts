/** What a client can do with each served resource: the operations that both OpenAPI versions describe. */
import type { GroupVersionKind, KindDefinition, Subresource } from '#api/kind.ts'
import type { ApiVersion } from '../discovery/api-groups.ts'
import {
  CONNECT_PARAMETERS,
  DELETE_COLLECTION_PARAMETERS,
  DELETE_PARAMETERS,
  LIST_PARAMETERS,
  LOG_PARAMETERS,
  NAME,
  NAMESPACE,
  PATCH_PARAMETERS,
  PATH,
  PRETTY,
  WRITE_PARAMETERS,
  type Parameter,
} from './parameters.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'

export type Operation = {
  readonly path: string
  readonly method: 'get' | 'put' | 'post' | 'delete' | 'patch' | 'head' | 'options'
  readonly id: string
  readonly tag: string
  readonly action?: string
  readonly kind?: GroupVersionKind
  readonly parameters: readonly Parameter[]
  /** Name of the body's schema. */
  readonly body?: { readonly schema: string; readonly required: boolean }
  readonly consumes: 'any' | 'patch' | 'document'
  readonly produces: MediaTypes
  /** Codes beside 401; all have the same schema. */
  readonly codes: readonly (200 | 201 | 202)[]
  /** Name of the answer's schema; null: text. */
  readonly answer: string | null
}

export type MediaTypes = 'object' | 'watchable' | 'anything' | 'log' | 'json' | 'jwks'

/** Finds the schema of a kind by group, version and name. */
export type SchemaFinder = (kind: GroupVersionKind) => string

/** `rbac.authorization.k8s.io` -> `rbacAuthorization`; the core group is `core`. */
export function groupWord(group: string): string {
  const parts = (group === '' ? 'core' : group.replace(/\.k8s\.io$/, '')).split(/[.-]/)
  return parts.map((part, position) => (position === 0 ? part : capitalize(part))).join('')
}

export const capitalize = (word: string): string => word.slice(0, 1).toUpperCase() + word.slice(1)

export function operationsOf(version: ApiVersion, schemaOfKind: SchemaFinder): Operation[] {
  const root = `${version.group === '' ? '/api' : '/apis'}/${version.groupVersion}`
  const word = groupWord(version.group)
  const list: Operation = {
    ...plainGet(
      `${root}/`,
      `get${capitalize(word)}${capitalize(version.version)}APIResources`,
      `${word}_${version.version}`,
    ),
    answer: `${META}.APIResourceList`,
  }
  return [list, ...version.kinds.flatMap((kind) => new KindOperations(root, kind, schemaOfKind).all())]
}

/** A GET of a document that is not about one resource. */
export function plainGet(path: string, id: string, tag: string): Operation {
  return {
    path,
    method: 'get',
    id,
    tag,
    parameters: [],
    consumes: 'document',
    produces: 'object',
    codes: [200],
    answer: null,
  }
}

type Shared = Pick<Operation, 'tag' | 'consumes' | 'produces' | 'codes'>

class KindOperations {
  readonly #kind: KindDefinition
  readonly #schemaOfKind: SchemaFinder
  readonly #root: string
  readonly #collection: string
  readonly #item: string
  readonly #words: { readonly version: string; readonly name: string }
  readonly #shared: Shared

  constructor(root: string, kind: KindDefinition, schemaOfKind: SchemaFinder) {
    this.#kind = kind
    this.#schemaOfKind = schemaOfKind
    this.#root = root
    const scope = kind.namespaced ? 'namespaces/{namespace}/' : ''
    this.#collection = `${root}/${scope}${kind.resource}`
    this.#item = `${this.#collection}/{name}`
    const word = groupWord(kind.group)
    this.#words = {
      version: capitalize(word) + capitalize(kind.version),
      name: `${kind.namespaced ? 'Namespaced' : ''}${kind.kind}`,
    }
    this.#shared = { tag: `${word}_${kind.version}`, consumes: 'any', produces: 'object', codes: [200] }
  }

  all(): Operation[] {
    const can = (verb: string): boolean => this.#kind.verbs.includes(verb)
    const operations: Operation[] = []
    if (can('list')) operations.push(...this.#lists())
    if (can('watch')) operations.push(...this.#watches())
    if (can('create')) operations.push(this.#create(this.#collection, '', this.#kind))
    if (can('deletecollection')) operations.push(this.#deleteCollection())
    operations.push(...this.#itemOperations(this.#item, '', { verbs: this.#kind.verbs, kind: this.#kind }))
    if (can('delete')) operations.push(this.#delete())
    for (const subresource of this.#subresources()) operations.push(...this.#subresource(subresource))
    return operations
  }

  #subresources(): Subresource[] {
    if (!this.#kind.hasStatus) return [...this.#kind.subresources]
    return [...this.#kind.subresources, { name: 'status', kind: this.#kind, verbs: ['get', 'patch', 'update'] }]
  }

  #id(verb: string, suffix = ''): string {
    return `${verb}${this.#words.version}${this.#words.name}${suffix}`
  }

  #place(isItem: boolean): Parameter[] {
    return [...(isItem ? [NAME] : []), ...(this.#kind.namespaced ? [NAMESPACE] : [])]
  }

  #gvk(kind: GroupVersionKind): GroupVersionKind {
    return { group: kind.group, kind: kind.kind, version: kind.version }
  }

  #lists(): Operation[] {
    const list: Operation = {
      ...this.#shared,
      path: this.#collection,
      method: 'get',
      id: this.#id('list'),
      action: 'list',
      kind: this.#gvk(this.#kind),
      parameters: [...LIST_PARAMETERS, ...PRETTY, ...this.#place(false)],
      produces: 'watchable',
      answer: `${this.#kind.schema}List`,
    }
    // Kinds without watch are listed without its parameters' media types all the same.
    if (!this.#kind.namespaced) return [list]
    const everywhere = {
      ...list,
      path: `${this.#root}/${this.#kind.resource}`,
      id: `list${this.#words.version}${this.#kind.kind}ForAllNamespaces`,
      parameters: [...LIST_PARAMETERS, ...PRETTY],
    }
    return [everywhere, list]
  }

  #watches(): Operation[] {
    const watchRoot = this.#root.length
    const watchPath = (path: string): string => `${path.slice(0, watchRoot)}/watch${path.slice(watchRoot)}`
    const watch = (path: string, id: string, action: string, isItem: boolean, place: Parameter[]): Operation => ({
      ...this.#shared,
      path: watchPath(path),
      method: 'get',
      id,
      action,
      kind: this.#gvk(this.#kind),
      parameters: [...LIST_PARAMETERS, ...PRETTY, ...place],
      produces: 'watchable',
      answer: `${META}.WatchEvent`,
    })
    const operations = [
      watch(this.#collection, this.#id('watch', 'List'), 'watchlist', false, this.#place(false)),
      watch(this.#item, this.#id('watch'), 'watch', true, this.#place(true)),
    ]
    if (!this.#kind.namespaced) return operations
    const id = `watch${this.#words.version}${this.#kind.kind}ListForAllNamespaces`
    return [...operations, watch(`${this.#root}/${this.#kind.resource}`, id, 'watchlist', false, [])]
  }

  #create(path: string, suffix: string, kind: GroupVersionKind): Operation {
    const schema = this.#schemaOfKind(kind)
    return {
      ...this.#shared,
      path,
      method: 'post',
      id: this.#id('create', suffix),
      action: 'post',
      kind: this.#gvk(kind),
      parameters: [...WRITE_PARAMETERS, ...PRETTY, ...this.#place(suffix !== '')],
      body: { schema, required: true },
      codes: [200, 201, 202],
      answer: schema,
    }
  }

  #deleteCollection(): Operation {
    return {
      ...this.#shared,
      path: this.#collection,
      method: 'delete',
      id: `delete${this.#words.version}Collection${this.#words.name}`,
      action: 'deletecollection',
      kind: this.#gvk(this.#kind),
      parameters: [...DELETE_COLLECTION_PARAMETERS, ...PRETTY, ...this.#place(false)],
      body: { schema: `${META}.DeleteOptions`, required: false },
      answer: `${META}.Status`,
    }
  }

  #delete(): Operation {
    return {
      ...this.#shared,
      path: this.#item,
      method: 'delete',
      id: this.#id('delete'),
      action: 'delete',
      kind: this.#gvk(this.#kind),
      parameters: [...DELETE_PARAMETERS, ...PRETTY, ...this.#place(true)],
      body: { schema: `${META}.DeleteOptions`, required: false },
      codes: [200, 202],
      answer: this.#kind.answersDeleted ? this.#kind.schema : `${META}.Status`,
    }
  }

  #itemOperations(
    path: string,
    suffix: string,
    { verbs, kind }: { readonly verbs: readonly string[]; readonly kind: GroupVersionKind },
  ): Operation[] {
    const schema = this.#schemaOfKind(kind)
    const base = { ...this.#shared, path, kind: this.#gvk(kind), answer: schema }
    const place = [...PRETTY, ...this.#place(true)]
    const operations: Operation[] = []
    if (verbs.includes('get'))
      operations.push({ ...base, method: 'get', id: this.#id('read', suffix), action: 'get', parameters: place })
    if (verbs.includes('update'))
      operations.push({
        ...base,
        method: 'put',
        id: this.#id('replace', suffix),
        action: 'put',
        parameters: [...WRITE_PARAMETERS, ...place],
        body: { schema, required: true },
        codes: [200, 201],
      })
    if (verbs.includes('patch'))
      operations.push({
        ...base,
        method: 'patch',
        id: this.#id('patch', suffix),
        action: 'patch',
        parameters: [...PATCH_PARAMETERS, ...place],
        body: { schema: `${META}.Patch`, required: true },
        consumes: 'patch',
        codes: [200, 201],
      })
    return operations
  }

  #subresource(subresource: Subresource): Operation[] {
    const path = `${this.#item}/${subresource.name}`
    const suffix = capitalize(subresource.name)
    if (subresource.kind.kind in CONNECT_PARAMETERS) return this.#connects(path, subresource)
    if (subresource.name === 'log') return [this.#log(path)]
    const operations = this.#itemOperations(path, suffix, subresource)
    if (subresource.verbs.includes('create')) operations.push(this.#create(path, suffix, subresource.kind))
    return operations
  }

  #log(path: string): Operation {
    return {
      ...this.#shared,
      path,
      method: 'get',
      id: this.#id('read', 'Log'),
      action: 'get',
      kind: this.#gvk(this.#kind),
      parameters: [...LOG_PARAMETERS, ...PRETTY, ...this.#place(true)],
      produces: 'log',
      answer: null,
    }
  }

  #connects(path: string, subresource: Subresource): Operation[] {
    const isProxy = subresource.verbs.includes('delete')
    const methods = isProxy
      ? (['delete', 'get', 'head', 'options', 'patch', 'post', 'put'] as const)
      : (['get', 'post'] as const)
    const options = CONNECT_PARAMETERS[subresource.kind.kind]!
    const connect = (method: (typeof methods)[number], withPath: boolean): Operation => ({
      ...this.#shared,
      path: withPath ? `${path}/{path}` : path,
      method,
      id: `connect${this.#words.version}${capitalize(method)}${this.#words.name}${capitalize(subresource.name)}${withPath ? 'WithPath' : ''}`,
      action: 'connect',
      kind: this.#gvk(subresource.kind),
      parameters: [...options, ...this.#place(true), ...(withPath ? [PATH] : [])],
      produces: 'anything',
      answer: null,
    })
    return methods.flatMap((method) =>
      isProxy ? [connect(method, false), connect(method, true)] : [connect(method, false)],
    )
  }
}
