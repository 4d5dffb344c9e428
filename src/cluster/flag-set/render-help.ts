/** The text of `--help`: flags by section, each with its type, purpose and default. */
import type { Flag, FlagSection } from './flag.ts'

export type HelpOptions = { readonly component: string; readonly purpose: string }

export function renderHelp({ component, purpose }: HelpOptions, sections: readonly FlagSection[]): string {
  return [`${purpose}\n\nUsage:\n  ${component} [flags]\n`, ...sections.map(renderSection)].join('\n')
}

function renderSection({ title, flags }: FlagSection): string {
  const lines = Object.entries(flags)
    .filter(([, flag]) => flag.deprecated === undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, flag]) => ({ head: headOf(name, flag), text: `${flag.help}${defaultOf(flag)}` }))
  const width = Math.max(...lines.map(({ head }) => head.length)) + 3
  return `${title} flags:\n\n${lines.map(({ head, text }) => `${head.padEnd(width)}${text}\n`).join('')}`
}

function headOf(name: string, { short, type }: Flag<unknown>): string {
  const names = short === undefined ? `      --${name}` : `  -${short}, --${name}`
  return type === '' ? names : `${names} ${type}`
}

/** What is nothing for its type goes without saying. */
const NOTHING = new Set(['', '0', '0s', 'false', '<nil>'])
const LISTS = new Set(['strings', 'stringArray'])

function defaultOf(flag: Flag<unknown>): string {
  const printed = flag.print(flag.initial)
  if (NOTHING.has(printed) || (LISTS.has(flag.type) && printed === '[]')) return ''
  return ` (default ${flag.type === 'string' ? JSON.stringify(printed) : printed})`
}
