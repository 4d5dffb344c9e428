/** Shows where two objects differ, for messages that refuse a change. */
import { isSemanticallyEqual } from '#api/semantic-equal.ts'

/** One line for each changed value, `-` as it was and `+` as it was asked for. */
export function describeDifference(before: unknown, after: unknown): string {
  const lines: string[] = []
  collect(lines, '', [before, after])
  return lines.join('\n')
}

function collect(lines: string[], path: string, [before, after]: readonly [unknown, unknown]): void {
  if (isSemanticallyEqual(before, after)) return
  if (!isContainer(before) || !isContainer(after) || Array.isArray(before) !== Array.isArray(after)) {
    if (before !== undefined) lines.push(`- ${path}: ${JSON.stringify(before)}`)
    if (after !== undefined) lines.push(`+ ${path}: ${JSON.stringify(after)}`)
    return
  }
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const place = Array.isArray(before) ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`
    collect(lines, place, [before[name], after[name]])
  }
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
