/** What a check of the Pod Security Standards is, and the words that all of them share. */
import type { Container, PodSpec } from '#api/core/v1.gen.ts'
import type { ObjectMeta } from '#machinery/meta/v1.gen.ts'

export type Violation = { readonly reason: string; readonly detail: string }

export type CheckPod = (spec: PodSpec, metadata: Pick<ObjectMeta, 'annotations'>) => Violation | null

export type Check = {
  readonly id: string
  /** By the minor version of Kubernetes from which on a rule holds, ascending. */
  readonly versions: readonly { readonly since: number; readonly check: CheckPod }[]
  /** The baseline check that this restricted one makes superfluous. */
  readonly overrides?: string
}

/** In the order in which upstream visits them; ephemeral containers look alike for all that is checked. */
export function allContainers(spec: PodSpec): Container[] {
  return [
    ...(spec.initContainers ?? []),
    ...(spec.containers ?? []),
    ...((spec.ephemeralContainers ?? []) as readonly Container[]),
  ]
}

export function namesWhere(spec: PodSpec, isBad: (container: Container) => boolean): string[] {
  return allContainers(spec)
    .filter(isBad)
    .map(({ name }) => name)
}

export const quoted = (items: readonly string[]): string => items.map((item) => JSON.stringify(item)).join(', ')

export const sorted = (items: Iterable<string>): string[] => [...new Set(items)].toSorted()

export function counted(items: readonly unknown[], one: string, many = `${one}s`): string {
  return items.length === 1 ? one : many
}

/** `container "a"`, `containers "a", "b"`. */
export const containersText = (names: readonly string[]): string => `${counted(names, 'container')} ${quoted(names)}`

/** `pod and containers "a", "b"`: who set something; empty when nobody did. */
export function settersText(isPod: boolean, names: readonly string[]): string {
  return [...(isPod ? ['pod'] : []), ...(names.length > 0 ? [containersText(names)] : [])].join(' and ')
}

export const isWindows = ({ os }: PodSpec): boolean => os?.name === 'windows'

/** Root in a user namespace of its own is not root of the node. */
export const hasUserNamespace = ({ hostUsers }: PodSpec): boolean => hostUsers === false

export const unless =
  (isExempt: (spec: PodSpec) => boolean, check: CheckPod): CheckPod =>
  (spec, metadata) =>
    isExempt(spec) ? null : check(spec, metadata)
