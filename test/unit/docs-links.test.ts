/** The documents point at files that exist. */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

for (const document of ['README.md', 'CHANGELOG.md', ...globSync('docs/**/*.md')].filter((path) => existsSync(path)))
  test(`${document}: every link leads somewhere`, () => {
    const text = readFileSync(document, 'utf8')
    const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map((match) => match[1]!)
    const broken = targets.filter((target) => !existsSync(join(dirname(document), target)))
    assert.deepEqual(broken, [])
  })
