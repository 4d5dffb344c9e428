/** JSON patch (RFC 6902) with the habits of kube-apiserver: negative indices, `replace` of absent members, limits. */
import { isDeepStrictEqual } from 'node:util'
import { setField } from '../schema/exact-json.ts'
import { badRequest, StatusError } from '../status-error.ts'
import { cloneJson, isJsonObject, ownField, type JsonObject } from './json-value.ts'
import { jsonKind } from './merge-patch.ts'
import { unprocessablePatch } from './patch-failure.ts'

/** Upstream's limit: more operations are answered with 413. */
export const JSON_PATCH_OPERATIONS_MAX = 10_000
/** Bytes that `copy` operations may add in all; upstream takes the limit of a request's body. */
export const JSON_PATCH_COPY_BYTES_MAX = 3 * 1024 * 1024

/** Fields of an operation; others are unknown to field validation. */
const OPERATION_FIELDS: ReadonlySet<string> = new Set(['op', 'path', 'from', 'value'])
const GO_PATCH_TYPE = '[]handlers.jsonPatchOp'

type Operation = JsonObject
type Container = JsonObject | unknown[]

/** The patched document, a new one. Throws StatusError 400 (no patch), 413 (too many operations), 422 (does not apply). */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  const operations = checkPatch(patch)
  if (operations.length > JSON_PATCH_OPERATIONS_MAX)
    throw new StatusError({
      code: 413,
      reason: 'RequestEntityTooLarge',
      message: `Request entity too large: The allowed maximum operations in a JSON patch is ${JSON_PATCH_OPERATIONS_MAX}, got ${operations.length}`,
    })
  const run = new PatchRun(cloneJson(document))
  for (const operation of operations) run.apply(operation)
  return run.document
}

/** Texts for field validation: `json patch unknown field "[0].foo"`. */
export function jsonPatchProblems(patch: unknown): string[] {
  return checkPatch(patch).flatMap((operation, position) =>
    Object.keys(operation)
      .filter((name) => !OPERATION_FIELDS.has(name))
      .map((name) => `json patch unknown field ${JSON.stringify(`[${position}].${name}`)}`),
  )
}

function checkPatch(patch: unknown): Operation[] {
  if (patch === null) return []
  if (!Array.isArray(patch))
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${jsonKind(patch)} into Go value of type ${GO_PATCH_TYPE}`,
    )
  return patch.map((operation) => {
    if (operation === null) return {}
    if (isJsonObject(operation)) return checkOperation(operation)
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${jsonKind(operation)} into Go value of type handlers.jsonPatchOp`,
    )
  })
}

function checkOperation(operation: Operation): Operation {
  for (const name of ['op', 'path', 'from']) {
    const value = operation[name]
    if (value !== undefined && value !== null && typeof value !== 'string')
      throw badRequest(
        `error decoding patch: json: cannot unmarshal ${jsonKind(value)} into Go struct field jsonPatchOp.${name} of type string`,
      )
  }
  return operation
}

class PatchRun {
  document: unknown
  #copiedBytes = 0

  constructor(document: unknown) {
    this.document = document
  }

  apply(operation: Operation): void {
    switch (operation.op) {
      case 'add':
        return this.#add(pathOf(operation, 'path'), valueOf(operation))
      case 'remove':
        this.#remove(pathOf(operation, 'path'))
        return
      case 'replace':
        return this.#replace(pathOf(operation, 'path'), operation)
      case 'move': {
        const moved = this.#remove(pathOf(operation, 'from'))
        return this.#add(pathOf(operation, 'path'), moved)
      }
      case 'copy':
        return this.#copy(operation)
      case 'test':
        return this.#test(pathOf(operation, 'path'), operation)
      default:
        throw unprocessablePatch()
    }
  }

  #add(path: string, value: unknown): void {
    const { container, key } = this.#find(path)
    if (!Array.isArray(container)) return void setField(container, key, value)
    if (key === '-') return void container.push(value)
    // An index may name the place after the last item, also when it counts from the end.
    const position = indexIn(key, container.length + 1)
    if (position > container.length) throw unprocessablePatch()
    container.splice(position, 0, value)
  }

  #remove(path: string): unknown {
    const { container, key } = this.#find(path)
    if (Array.isArray(container)) {
      const position = indexIn(key, container.length)
      if (position >= container.length) throw unprocessablePatch()
      return container.splice(position, 1)[0]
    }
    if (!Object.hasOwn(container, key)) throw unprocessablePatch()
    const value = container[key]
    delete container[key]
    return value
  }

  #replace(path: string, operation: Operation): void {
    if (path === '') {
      const value = valueOf(operation)
      if (typeof value !== 'object' || value === null) throw unprocessablePatch()
      this.document = value
      return
    }
    const { container, key } = this.#find(path)
    // Upstream does not mind a member that is not there.
    if (!Array.isArray(container)) return void setField(container, key, valueOf(operation))
    const position = indexIn(key, container.length)
    if (position >= container.length) throw unprocessablePatch()
    container[position] = valueOf(operation)
  }

  #copy(operation: Operation): void {
    const source = this.#find(pathOf(operation, 'from'))
    const copy = cloneJson(read(source) ?? null)
    this.#copiedBytes += Buffer.byteLength(JSON.stringify(copy))
    if (this.#copiedBytes > JSON_PATCH_COPY_BYTES_MAX) throw unprocessablePatch()
    this.#add(pathOf(operation, 'path'), copy)
  }

  /** An absent member equals null. */
  #test(path: string, operation: Operation): void {
    const actual = path === '' ? this.document : (read(this.#find(path)) ?? null)
    if (!isDeepStrictEqual(actual, operation.value ?? null)) throw unprocessablePatch()
  }

  /** The object or list that holds what a pointer names, and the last part of the pointer. */
  #find(path: string): { container: Container; key: string } {
    const parts = path.split('/').slice(1).map(unescapePart)
    const key = parts.pop()
    if (key === undefined) throw unprocessablePatch()
    let container = asContainer(this.document)
    for (const part of parts) container = asContainer(read({ container, key: part }))
    return { container, key }
  }
}

function read({ container, key }: { container: Container; key: string }): unknown {
  if (!Array.isArray(container)) return ownField(container, key)
  const position = indexIn(key, container.length)
  if (position >= container.length) throw unprocessablePatch()
  return container[position]
}

function asContainer(value: unknown): Container {
  if (typeof value !== 'object' || value === null) throw unprocessablePatch()
  return value as Container
}

/** Counts from the end when negative; the caller checks the upper end. */
function indexIn(key: string, length: number): number {
  if (!/^[+-]?\d+$/.test(key)) throw unprocessablePatch()
  const given = Number(key)
  const position = given < 0 ? given + length : given
  if (position < 0) throw unprocessablePatch()
  return position
}

function pathOf(operation: Operation, name: 'path' | 'from'): string {
  const path = operation[name]
  if (typeof path !== 'string') throw unprocessablePatch()
  return path
}

const valueOf = (operation: Operation): unknown => cloneJson(operation.value ?? null)

function unescapePart(part: string): string {
  return part.replaceAll(/~[01]/g, (escape) => (escape === '~1' ? '/' : '~'))
}
