import { KINDS } from '#api/kinds.ts'
import { createWith, updateWith } from '#api/testing.ts'
import { StatusError } from '#machinery/status-error.ts'
import { readScenarios, targetOf } from './scenarios.ts'
import { idOf } from './run.ts'
const bodies = new Map<string, Record<string, unknown>[]>()
for (const s of ['a', 'b'].flatMap(readScenarios))
  for (const st of s.steps) {
    const t = st.p ? targetOf(st.p) : null
    if (!t || t.subresource || !st.b || !['POST', 'PUT'].includes(st.m!)) continue
    if ((st.r?.code ?? 500) > 201) continue
    const b = st.r!.b!
    const l = bodies.get(t.id) ?? []
    l.push(b)
    bodies.set(t.id, l)
  }
let seed = 7
const rnd = (n: number) => {
  seed = (seed * 1103515245 + 12345) & 0x7fffffff
  return seed % n
}
function paths(v: unknown, p: (string | number)[], out: (string | number)[][]) {
  if (v === null || typeof v !== 'object') return
  for (const k of Object.keys(v)) {
    const q = [...p, Array.isArray(v) ? +k : k]
    if (
      q[0] === 'metadata' &&
      q.length > 1 &&
      !['labels', 'annotations', 'ownerReferences', 'finalizers'].includes(String(q[1]))
    )
      continue
    out.push(q)
    paths((v as any)[k], q, out)
  }
}
const values = [
  undefined,
  null,
  {},
  [],
  '',
  'x',
  'Bad_name!',
  -1,
  0,
  99999999999,
  true,
  '9'.repeat(40),
  [null],
  [{}],
  { a: 'b' },
  '-5%',
  '150%',
  '1e400',
  'a'.repeat(300),
]
const seen = new Map<string, number>()
let runs = 0,
  decodeErrors = 0,
  ok = 0
const until = performance.now() + Number(process.argv[2] ?? 60) * 1000
const kinds = KINDS.filter((k) => k.stored && bodies.has(idOf(k)))
while (performance.now() < until)
  for (const kind of kinds) {
    const list = bodies.get(idOf(kind))!
    const base = list[rnd(list.length)]!
    const body = structuredClone(base)
    const n = 1 + rnd(2)
    for (let i = 0; i < n; i++) {
      const all: (string | number)[][] = []
      paths(body, [], all)
      if (!all.length) continue
      const p = all[rnd(all.length)]!
      let o: any = body
      for (const k of p.slice(0, -1)) o = o[k]
      const v = values[rnd(values.length)]
      if (v === undefined) delete o[p.at(-1)!]
      else o[p.at(-1)!] = structuredClone(v)
    }
    if (!body['metadata']) continue
    runs++
    for (const [what, f] of [
      ['create', () => createWith(kind, body)],
      ['update', () => updateWith(kind, body, { old: base })],
      ['status', () => updateWith(kind, body, { old: base, subresource: 'status' })],
      ['resize', () => updateWith(kind, body, { old: base, subresource: 'resize' })],
      ['ephemeralcontainers', () => updateWith(kind, body, { old: base, subresource: 'ephemeralcontainers' })],
      ['reverse', () => updateWith(kind, base, { old: body })],
      ['row', () => kind.table.row(createWith(kind, body).object as never, 0)],
    ] as const) {
      if ((what === 'resize' || what === 'ephemeralcontainers') && kind.resource !== 'pods') continue
      try {
        f()
        ok++
      } catch (e) {
        if (e instanceof StatusError) {
          decodeErrors++
          continue
        }
        const at = String((e as Error).stack)
          .split('\n')
          .filter((l) => l.includes('/src/'))
          .slice(0, 2)
          .map((l) => l.replace(/.*\/src\//, '').replace(/\)$/, ''))
          .join(' < ')
        const key = `${what} ${idOf(kind)} ${(e as Error).message.slice(0, 80)} @ ${at}`
        seen.set(key, (seen.get(key) ?? 0) + 1)
      }
    }
  }
console.log({ runs, decodeErrors, ok })
for (const [k, n] of [...seen].sort((a, b) => b[1] - a[1]).slice(0, 60)) console.log(n, k)
