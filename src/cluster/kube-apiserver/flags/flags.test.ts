/** The flags of kube-apiserver are upstream's: names, types, defaults and sections. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseFlags } from '../../flag-set/parse-flags.ts'
import { renderHelp } from '../../flag-set/render-help.ts'
import upstream from '../testdata/upstream-flags.json' with { type: 'json' }
import { KUBE_APISERVER_SECTIONS, type KubeApiserverFlags } from './index.ts'

type Fact = { section: string; type: string; default?: string; short?: string; deprecated?: boolean }

const facts = upstream as Record<string, Fact>
/** Flags of this program alone. */
const OWN = new Set(['data-dir'])
const help = renderHelp({ component: 'kube-apiserver', purpose: '' }, KUBE_APISERVER_SECTIONS)

test('every flag of upstream is there, in its section, and no other', () => {
  const ours = KUBE_APISERVER_SECTIONS.flatMap(({ title, flags }) =>
    Object.keys(flags).map((name) => [name, title.toLowerCase()] as const),
  )
  const expected = Object.entries(facts).map(([name, { section }]) => [name, section] as const)
  assert.deepEqual(ours.filter(([name]) => !OWN.has(name)).toSorted(), expected.toSorted())
})

for (const [name, fact] of Object.entries(facts))
  test(`--${name} has upstream's type and default`, () => {
    const line = help.split('\n').find((text) => new RegExp(`^\\s+(-\\w, )?--${name}[ =]`).test(`${text} `))
    if (fact.deprecated) return assert.equal(line, undefined)
    assert.ok(line !== undefined, 'not in --help')
    const [, short, type = ''] = /^ {2}(?:-(\w), | {4})--[\w-]+(?: (\S+))?/.exec(line)!
    assert.equal(short, fact.short)
    assert.equal(type, fact.type === 'bool' ? '' : fact.type)
    assert.equal(/ \(default (.*)\)$/.exec(line)?.[1], fact.default)
  })

test('the default of every flag may be given, also of those that are not supported', () => {
  for (const { flags } of KUBE_APISERVER_SECTIONS)
    for (const [name, flag] of Object.entries(flags)) {
      const printed = flag.print(flag.initial as never)
      if (!['bool', 'string', 'int', 'duration', ''].includes(flag.type)) continue
      const { given } = parseFlags<KubeApiserverFlags>('kube-apiserver', KUBE_APISERVER_SECTIONS, [
        `--${name}=${printed}`,
      ])
      assert.ok(given.has(name))
    }
})
