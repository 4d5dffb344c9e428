/** Objects by key, with any number of indexes over them; the memory of an informer. */
import type { KubernetesObject } from '#machinery/meta/object.ts'

type Index<T> = { readonly keysOf: (object: T) => readonly string[]; readonly entries: Map<string, Map<string, T>> }

export class ObjectIndex<T extends KubernetesObject> {
  readonly #objects = new Map<string, T>()
  readonly #indexes = new Map<string, Index<T>>()
  /** namespace -> objects, so that one namespace is listed without a scan. */
  readonly #byNamespace = new Map<string, Map<string, T>>()

  get size(): number {
    return this.#objects.size
  }

  get(key: string): T | undefined {
    return this.#objects.get(key)
  }

  entries(): IterableIterator<[string, T]> {
    return this.#objects.entries()
  }

  list(namespace?: string): T[] {
    return namespace === undefined
      ? [...this.#objects.values()]
      : [...(this.#byNamespace.get(namespace)?.values() ?? [])]
  }

  /** Throws for a name that is taken: two users would otherwise share an index that means something else to each. */
  addIndex(name: string, keysOf: (object: T) => readonly string[]): void {
    if (this.#indexes.has(name)) throw new Error(`index "${name}" is defined already`)
    const index: Index<T> = { keysOf, entries: new Map() }
    this.#indexes.set(name, index)
    for (const [key, object] of this.#objects) addTo(index, key, object)
  }

  byIndex(name: string, indexKey: string): T[] {
    const index = this.#indexes.get(name)
    if (index === undefined) throw new Error(`index "${name}" is not defined`)
    return [...(index.entries.get(indexKey)?.values() ?? [])]
  }

  /** Answers the object that was there. */
  set(key: string, object: T): T | undefined {
    const old = this.delete(key)
    this.#objects.set(key, object)
    insert(this.#byNamespace, object.metadata.namespace ?? '', key, object)
    for (const index of this.#indexes.values()) addTo(index, key, object)
    return old
  }

  delete(key: string): T | undefined {
    const old = this.#objects.get(key)
    if (old === undefined) return undefined
    this.#objects.delete(key)
    remove(this.#byNamespace, old.metadata.namespace ?? '', key)
    for (const { keysOf, entries } of this.#indexes.values())
      for (const indexKey of keysOf(old)) remove(entries, indexKey, key)
    return old
  }
}

function addTo<T>({ keysOf, entries }: Index<T>, key: string, object: T): void {
  for (const indexKey of keysOf(object)) insert(entries, indexKey, key, object)
}

function insert<T>(groups: Map<string, Map<string, T>>, group: string, key: string, object: T): void {
  let members = groups.get(group)
  if (members === undefined) groups.set(group, (members = new Map()))
  members.set(key, object)
}

function remove<T>(groups: Map<string, Map<string, T>>, group: string, key: string): void {
  const members = groups.get(group)
  if (members === undefined) return
  members.delete(key)
  if (members.size === 0) groups.delete(group)
}
