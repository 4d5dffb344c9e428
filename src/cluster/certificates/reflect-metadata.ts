/** The part of the Reflect metadata proposal that `@peculiar/x509`'s container asks for before it loads. */

type Metadata = Map<unknown, unknown>
type ReflectWithMetadata = {
  getMetadata?: (key: unknown, target: object) => unknown
  getOwnMetadata?: (key: unknown, target: object) => unknown
  hasMetadata?: (key: unknown, target: object) => boolean
  hasOwnMetadata?: (key: unknown, target: object) => boolean
  defineMetadata?: (key: unknown, value: unknown, target: object) => void
}

const metadata = new WeakMap<object, Metadata>()

function lookup(key: unknown, target: object): unknown {
  for (let at: object | null = target; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const own = metadata.get(at)
    if (own?.has(key)) return own.get(key)
  }
  return undefined
}

/** Leaves a complete implementation alone when there is one. */
export function installReflectMetadata(): void {
  const reflect = Reflect as ReflectWithMetadata
  if (reflect.getMetadata !== undefined) return
  reflect.getMetadata = lookup
  reflect.getOwnMetadata = (key, target) => metadata.get(target)?.get(key)
  reflect.hasMetadata = (key, target) => lookup(key, target) !== undefined
  reflect.hasOwnMetadata = (key, target) => metadata.get(target)?.has(key) ?? false
  reflect.defineMetadata = (key, value, target) => {
    let own = metadata.get(target)
    if (own === undefined) metadata.set(target, (own = new Map()))
    own.set(key, value)
  }
}
