/** Texts of Table cells that many kinds share: ages, labels, selectors, containers. */
import type { LabelSelector, LabelSelectorRequirement } from '#machinery/meta/v1.gen.ts'

/** `5m3s` since an RFC 3339 time; `<unknown>` without one, which some kinds write as null. */
export function formatAge(timestamp: string | null | undefined, nowMs: number): string {
  return !timestamp ? '<unknown>' : formatDuration(nowMs - Date.parse(timestamp))
}

/** A duration with two or three significant figures, as kubectl shows ages. */
export function formatDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000)
  // Clocks of two machines may differ a little: up to two seconds in the future count as now.
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.trunc(seconds / 60)
  if (minutes < 10) return joinUnits(minutes, 'm', seconds % 60, 's')
  if (minutes < 180) return `${minutes}m`
  const hours = Math.trunc(minutes / 60)
  if (hours < 8) return joinUnits(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  const days = Math.trunc(hours / 24)
  if (hours < 24 * 8) return joinUnits(days, 'd', hours % 24, 'h')
  if (days < 365 * 2) return `${days}d`
  const years = Math.trunc(days / 365)
  return days < 365 * 8 ? joinUnits(years, 'y', days % 365, 'd') : `${years}y`
}

function joinUnits(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`
}

/** `a=1,b=2` in order of keys, or `<none>`. */
export function formatLabels(labels: Readonly<Record<string, string>> | undefined): string {
  return joinLabels(labels) || '<none>'
}

/** The selector as text, or `<none>` for one that is absent or selects everything. */
export function formatLabelSelector(selector: LabelSelector | undefined): string {
  return labelSelectorText(selector) || '<none>'
}

/** The text form of a label selector, `app=web,tier in (a,b)`; empty when it selects everything. */
export function labelSelectorText(selector: LabelSelector | undefined): string {
  const parts: [string, string][] = Object.entries(selector?.matchLabels ?? {}).map(([name, value]) => [
    name,
    `${name}=${value}`,
  ])
  for (const requirement of selector?.matchExpressions ?? [])
    parts.push([requirement.key, requirementText(requirement)])
  return parts
    .toSorted(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0))
    .map(([, text]) => text)
    .join(',')
}

function requirementText({ key, operator, values }: LabelSelectorRequirement): string {
  const list = (values ?? []).toSorted().join(',')
  switch (operator) {
    case 'In':
      return `${key} in (${list})`
    case 'NotIn':
      return `${key} notin (${list})`
    case 'Exists':
      return key
    default:
      return `!${key}`
  }
}

/** `a=1,b=2` in order of keys. */
export function joinLabels(labels: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(labels ?? {})
    .toSorted(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0))
    .map(([name, value]) => `${name}=${value}`)
    .join(',')
}

type NamedImage = { readonly name?: string; readonly image?: string }

/** The wide columns Containers and Images. */
export function containerCells(containers: readonly NamedImage[] | undefined): [string, string] {
  const list = containers ?? []
  return [
    list.map((container) => container.name ?? '').join(','),
    list.map((container) => container.image ?? '').join(','),
  ]
}

export type ListCellOptions = {
  /** How many are shown before `+ N more...`. */
  readonly max: number
  readonly total: number
}

/** `a,b,c + 2 more...`, or `<unset>` for nothing. */
export function formatShortList(items: readonly string[], { max, total }: ListCellOptions): string {
  const text = items.slice(0, max).join(',')
  if (total > max) return `${text} + ${total - max} more...`
  return text === '' ? '<unset>' : text
}
