/** Sets of field paths: what a manager owns, what a change adds, modifies or removes. */
import { comparePathElements, FieldsFormatError, parsePathElement, type PathElement } from './path-element.ts'

/** Immutable once it is handed out, except through `insert` by the one who builds it. Parts are shared between sets. */
export class FieldSet {
  /** Paths that end here. */
  readonly members: Set<PathElement>
  /** Paths that go on. No child is empty, except while a set is being built. */
  readonly children: Map<PathElement, FieldSet>

  constructor(members = new Set<PathElement>(), children = new Map<PathElement, FieldSet>()) {
    this.members = members
    this.children = children
  }

  static of(...paths: readonly (readonly PathElement[])[]): FieldSet {
    const set = new FieldSet()
    for (const path of paths) set.insert(path)
    return set
  }

  /** Reads FieldsV1. Throws FieldsFormatError. */
  static fromFieldsV1(fields: unknown): FieldSet {
    return readFields(fields).set
  }

  insert(path: readonly PathElement[]): void {
    const last = path.at(-1)
    if (last !== undefined) this.#at(path.slice(0, -1)).members.add(last)
  }

  /** The set below a path, made where it is missing. */
  #at(path: readonly PathElement[]): FieldSet {
    return path.reduce((set: FieldSet, element) => set.descend(element), this)
  }

  descend(element: PathElement): FieldSet {
    let child = this.children.get(element)
    if (child === undefined) {
      child = new FieldSet()
      this.children.set(element, child)
    }
    return child
  }

  get isEmpty(): boolean {
    if (this.members.size > 0) return false
    for (const child of this.children.values()) if (!child.isEmpty) return false
    return true
  }

  has(path: readonly PathElement[]): boolean {
    const [first, ...rest] = path
    if (first === undefined) return false
    return rest.length === 0 ? this.members.has(first) : (this.children.get(first)?.has(rest) ?? false)
  }

  union(other: FieldSet): FieldSet {
    if (this.members.size === 0 && this.children.size === 0) return other
    if (other.members.size === 0 && other.children.size === 0) return this
    const children = new Map(this.children)
    for (const [element, child] of other.children) {
      const own = children.get(element)
      children.set(element, own === undefined ? child : own.union(child))
    }
    return new FieldSet(this.members.union(other.members), children)
  }

  intersection(other: FieldSet): FieldSet {
    const children = new Map<PathElement, FieldSet>()
    for (const [element, child] of this.children) {
      const others = other.children.get(element)
      if (others !== undefined) addChild(children, element, child.intersection(others))
    }
    return new FieldSet(this.members.intersection(other.members), children)
  }

  /** Paths that the other set does not hold; what lies below a path of the other set stays. */
  difference(other: FieldSet): FieldSet {
    const children = new Map<PathElement, FieldSet>()
    for (const [element, child] of this.children) {
      const others = other.children.get(element)
      addChild(children, element, others === undefined ? child : child.difference(others))
    }
    return new FieldSet(this.members.difference(other.members), children)
  }

  /** Like difference, and what lies below a path of the other set goes as well. */
  recursiveDifference(other: FieldSet): FieldSet {
    const children = new Map<PathElement, FieldSet>()
    for (const [element, child] of this.children) {
      if (other.members.has(element)) continue
      const others = other.children.get(element)
      addChild(children, element, others === undefined ? child : child.recursiveDifference(others))
    }
    return new FieldSet(this.members.difference(other.members), children)
  }

  /** All paths, in upstream's order: those that end at a level before those that go on. */
  *paths(prefix: readonly PathElement[] = []): Generator<readonly PathElement[]> {
    for (const element of [...this.members].sort(comparePathElements)) yield [...prefix, element]
    for (const element of [...this.children.keys()].sort(comparePathElements))
      yield* this.children.get(element)!.paths([...prefix, element])
  }

  toFieldsV1(): Record<string, unknown> {
    const fields: Record<string, unknown> = {}
    const elements = this.children.size === 0 ? this.members : this.members.union(new Set(this.children.keys()))
    for (const element of [...elements].sort(comparePathElements)) {
      const child = this.children.get(element)
      const below = child?.toFieldsV1() ?? {}
      const isOwnedItself = child !== undefined && !child.isEmpty && this.members.has(element)
      fields[element] = isOwnedItself ? { '.': {}, ...below } : below
    }
    return fields
  }
}

function addChild(children: Map<PathElement, FieldSet>, element: PathElement, child: FieldSet): void {
  if (!child.isEmpty) children.set(element, child)
}

/** A leaf (`{}`) owns its path, as does a `.` among other paths. */
function readFields(fields: unknown): { set: FieldSet; isMember: boolean } {
  if (fields === null || fields === undefined) return { set: new FieldSet(), isMember: true }
  if (typeof fields !== 'object' || Array.isArray(fields)) throw new FieldsFormatError('expected an object')
  const set = new FieldSet()
  let isMember = false
  for (const [text, below] of Object.entries(fields)) {
    if (text === '.') isMember = true
    else readField(set, text, below)
  }
  return { set, isMember: isMember || (set.members.size === 0 && set.children.size === 0) }
}

function readField(set: FieldSet, text: string, below: unknown): void {
  const element = parsePathElement(text)
  if (element === null) return
  const child = readFields(below)
  if (child.isMember) set.members.add(element)
  if (child.set.members.size > 0 || child.set.children.size > 0) set.children.set(element, child.set)
}
