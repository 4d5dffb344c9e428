/** Command lines are read, and refused, as Go's components do. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unsupported, type FlagSection } from './flag.ts'
import { bool, duration, float, int, ip, portRange, stringArray, stringMap, strings, text } from './flag-types.ts'
import { parseFlags } from './parse-flags.ts'

const FLAGS = {
  name: text('a name', 'x'),
  on: bool('a switch'),
  count: { ...int('a number', 3), short: 'c' },
  chance: float('a share'),
  wait: duration('a time', 60_000),
  at: ip('an address'),
  list: strings('a list', ['a']),
  file: stringArray('files'),
  map: stringMap('pairs', 'mapStringString', () => 'malformed pair, expect string=string'),
  ports: portRange('ports', { from: 1, to: 2 }),
  later: unsupported(int('a number', 1), 'there is one'),
}
const SECTIONS: readonly FlagSection[] = [{ title: 'Some', flags: FLAGS }]
const parse = (...args: string[]) => parseFlags<typeof FLAGS>('program', SECTIONS, args)

test('values, in every way of writing them', () => {
  const { values, given, texts } = parse(
    '--name=y',
    '--on',
    '-c5',
    '--chance',
    '0.5',
    '--wait=1h30m',
    '--at=::1',
    '--list=b,"c,d"',
    '--list=e',
    '--file=p,q',
    '--file=r',
    '--map=k=v,l=w=z',
    '--ports=10+5',
    '--later=1',
  )
  assert.deepEqual(values, {
    name: 'y',
    on: true,
    count: 5,
    chance: 0.5,
    wait: 5_400_000,
    at: '::1',
    list: ['b', 'c,d', 'e'],
    file: ['p,q', 'r'],
    map: { k: 'v', l: 'w=z' },
    ports: { from: 10, to: 15 },
    later: 1,
  })
  assert.equal(given.has('name'), true)
  assert.equal(texts.get('wait'), '1h30m0s')
  assert.equal(texts.get('list'), '[b,c,d,e]')
})

test('what is not given has its default', () => {
  const { values, given } = parse()
  assert.deepEqual([values.name, values.on, values.count, values.list, given.size], ['x', false, 3, ['a'], 0])
})

const REFUSALS: readonly (readonly [args: readonly string[], message: string])[] = [
  [['--bogus'], 'unknown flag: --bogus'],
  [['-x'], "unknown shorthand flag: 'x' in -x"],
  [['--name'], 'flag needs an argument: --name'],
  [['word', '--on'], '"program" does not take any arguments, got ["word"]'],
  [['--count=1.5'], 'invalid argument "1.5" for "-c, --count" flag: strconv.ParseInt: parsing "1.5": invalid syntax'],
  [['--chance=x'], 'invalid argument "x" for "--chance" flag: strconv.ParseFloat: parsing "x": invalid syntax'],
  [['--on=maybe'], 'invalid argument "maybe" for "--on" flag: strconv.ParseBool: parsing "maybe": invalid syntax'],
  [['--wait=5'], 'invalid argument "5" for "--wait" flag: time: missing unit in duration "5"'],
  [['--at=foo'], 'invalid argument "foo" for "--at" flag: failed to parse IP: "foo"'],
  [['--map=x'], 'invalid argument "x" for "--map" flag: malformed pair, expect string=string'],
  [['--ports=x'], 'invalid argument "x" for "--ports" flag: strconv.Atoi: parsing "x": invalid syntax'],
  [['--ports=5-1'], 'invalid argument "5-1" for "--ports" flag: end port cannot be less than start port: 5-1'],
  [['--later=2'], '--later is not supported: there is one'],
]
for (const [args, message] of REFUSALS)
  test(`${args.join(' ')} is refused`, () => assert.throws(() => parse(...args), { message }))
