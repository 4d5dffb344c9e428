/** Runs the unit tests beside the code in one process each for speed; extra arguments filter by path part. */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'

const filters = process.argv.slice(2)
const files = globSync([
  'src/**/*.test.ts',
  'scripts/**/*.test.ts',
  'test/simulation/**/*.test.ts',
  'test/unit/**/*.test.ts',
  'test/controllers/**/*.test.ts',
])
  .filter((file) => filters.every((filter) => file.includes(filter)))
  .toSorted()
if (files.length === 0) throw new Error(`No unit test matches ${filters.join(' ')}`)
const result = spawnSync(
  process.execPath,
  [
    '--test',
    '--test-isolation=none',
    '--test-reporter=dot',
    '--test-reporter-destination=stderr',
    '--test-reporter=./scripts/test-summary.ts',
    '--test-reporter-destination=stdout',
    ...files,
  ],
  {
    stdio: 'inherit',
    env: { ...process.env, NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '.cache/compile' },
  },
)
process.exit(result.status ?? 1)
