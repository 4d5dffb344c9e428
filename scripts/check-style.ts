/** The style rules as a test with a ratchet: old sins listed in style-ratchet.json may stay, none may grow. */
import { readFileSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'

/** A file over this is usually two things (90% of admired files are under 440 lines). */
const FILE_LINES_MAX = 440
const RATCHET_FILE = 'scripts/style-ratchet.json'

type Sin = { readonly file: string; readonly rule: string; readonly count: number }

/** Rules on the text of one file; each gives how often the file breaks it. */
const RULES: Record<string, (file: string, text: string) => number> = {
  'file-starts-with-what-it-does': (_file, text) => (/^(#!.*\n)?\/\*\*/.test(text) ? 0 : 1),
  'file-length': (_file, text) => Math.max(0, text.split('\n').length - FILE_LINES_MAX),
  'no-default-export': (file, text) => (file.startsWith('scripts/') ? 0 : count(text, /^export default/gm)),
  'injected-time': (file, text) =>
    file.startsWith('src/') &&
    !file.startsWith('src/base/') &&
    !file.startsWith('src/cli/') &&
    !file.endsWith('.test.ts')
      ? count(text, /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|(?<!\.)\bsetTimeout\(|(?<!\.)\bsetInterval\(/g)
      : 0,
  'no-leftovers': (_file, text) => count(text, /\b(TODO|FIXME|XXX|HACK)\b/g),
  'no-switched-off-tests': (file, text) =>
    file.endsWith('.test.ts') ? count(text, /\b(test|it|describe)\.(only|todo)\(/g) : 0,
  'no-type-suppression': (_file, text) => count(text, /@ts-(ignore|nocheck|expect-error)/g),
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0
}

function findSins(): Sin[] {
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts'], {
    encoding: 'utf8',
  })
    .split('\n')
    .filter(
      (file) =>
        file !== '' && !file.includes('.gen.ts') && !file.endsWith('_pb.ts') && file !== 'scripts/check-style.ts',
    )
  const sins: Sin[] = []
  for (const file of files) {
    const text = readText(file)
    if (text === null) continue
    for (const [rule, countSins] of Object.entries(RULES)) {
      const found = countSins(file, text)
      if (found > 0) sins.push({ file, rule, count: found })
    }
  }
  return sins
}

/** Null for a file that is deleted but still in git's index. */
function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

const sins = findSins()
const allowed: Sin[] = JSON.parse(readText(RATCHET_FILE) ?? '[]')
if (process.argv.includes('--update')) writeFileSync(RATCHET_FILE, `${JSON.stringify(sins, null, 2)}\n`)
else {
  const grown = sins.filter(
    (sin) => sin.count > (allowed.find((old) => old.file === sin.file && old.rule === sin.rule)?.count ?? 0),
  )
  for (const sin of grown) console.error(`${sin.file}: ${sin.rule} (${sin.count})`)
  if (grown.length > 0) process.exit(1)
}
