/**
 * The unified diff that kube-apiserver shows of two values: longest common blocks first (Ratcliff and Obershelp), and lines that come too
 * often start no block in long texts.
 */

/** Lines of unchanged text around a change. */
const CONTEXT_LINES = 3
/** From this many lines on, lines that make up more than a hundredth of them start no block. */
const POPULAR_FROM_LINES = 200

type Block = { readonly a: number; readonly b: number; readonly size: number }
type Area = { readonly a: readonly [number, number]; readonly b: readonly [number, number] }
/** Lines `a` become lines `b`; equal ones are both. */
type Step = Area & { readonly isEqual: boolean }

export function unifiedDiff(before: string, after: string): string {
  const [a, b] = [before.split('\n'), after.split('\n')]
  return groupSteps(stepsOf(a, b))
    .map((group) => writeGroup(group, a, b))
    .join('')
}

function writeGroup(group: readonly Step[], a: readonly string[], b: readonly string[]): string {
  const [first, last] = [group[0]!, group.at(-1)!]
  const lines = [`@@ -${range(first.a[0], last.a[1])} +${range(first.b[0], last.b[1])} @@`]
  for (const step of group) {
    if (step.isEqual) lines.push(...a.slice(...step.a).map((line) => ` ${line}`))
    else lines.push(...a.slice(...step.a).map((line) => `-${line}`), ...b.slice(...step.b).map((line) => `+${line}`))
  }
  return `${lines.join('\n')}\n`
}

function range(start: number, end: number): string {
  const length = end - start
  if (length === 1) return String(start + 1)
  return `${length === 0 ? start : start + 1},${length}`
}

/** Cuts long stretches without a change: what is left comes in groups with some lines around each change. */
function groupSteps(steps: readonly Step[]): Step[][] {
  if (steps.every(({ isEqual }) => isEqual)) return []
  const groups: Step[][] = []
  let group: Step[] = []
  for (const [i, step] of steps.entries()) {
    if (!step.isEqual) {
      group.push(step)
      continue
    }
    const isLong = step.a[1] - step.a[0] > 2 * CONTEXT_LINES
    if (i === 0) group.push(lastLines(step))
    else if (i === steps.length - 1) group.push(firstLines(step))
    else if (!isLong) group.push(step)
    else {
      groups.push([...group, firstLines(step)])
      group = [lastLines(step)]
    }
  }
  return [...groups, group]
}

const firstLines = ({ a, b }: Step): Step => ({
  a: [a[0], Math.min(a[1], a[0] + CONTEXT_LINES)],
  b: [b[0], Math.min(b[1], b[0] + CONTEXT_LINES)],
  isEqual: true,
})

const lastLines = ({ a, b }: Step): Step => ({
  a: [Math.max(a[0], a[1] - CONTEXT_LINES), a[1]],
  b: [Math.max(b[0], b[1] - CONTEXT_LINES), b[1]],
  isEqual: true,
})

function stepsOf(a: readonly string[], b: readonly string[]): Step[] {
  const steps: Step[] = []
  let [i, j] = [0, 0]
  for (const { a: start, b: other, size } of [...commonBlocks(a, b), { a: a.length, b: b.length, size: 0 }]) {
    if (i < start || j < other) steps.push({ a: [i, start], b: [j, other], isEqual: false })
    ;[i, j] = [start + size, other + size]
    if (size > 0) steps.push({ a: [start, i], b: [other, j], isEqual: true })
  }
  return steps
}

/** Blocks of equal lines in order; those that touch are one. */
function commonBlocks(a: readonly string[], b: readonly string[]): Block[] {
  const places = placesOf(b)
  const blocks: Block[] = []
  collectBlocks({ a: [0, a.length], b: [0, b.length] })
  return blocks

  function collectBlocks(area: Area): void {
    const block = longestBlock(a, b, area, places)
    if (block.size === 0) return
    if (area.a[0] < block.a && area.b[0] < block.b) collectBlocks({ a: [area.a[0], block.a], b: [area.b[0], block.b] })
    addBlock(blocks, block)
    const [i, j] = [block.a + block.size, block.b + block.size]
    if (i < area.a[1] && j < area.b[1]) collectBlocks({ a: [i, area.a[1]], b: [j, area.b[1]] })
  }
}

function addBlock(blocks: Block[], block: Block): void {
  const last = blocks.at(-1)
  const isAdjacent = last !== undefined && last.a + last.size === block.a && last.b + last.size === block.b
  if (isAdjacent) blocks[blocks.length - 1] = { ...last, size: last.size + block.size }
  else blocks.push(block)
}

type Places = ReadonlyMap<string, readonly number[]>

/** Where each line is, without those that come too often. */
function placesOf(lines: readonly string[]): Places {
  const places = new Map<string, number[]>()
  for (const [i, line] of lines.entries()) {
    const known = places.get(line)
    if (known === undefined) places.set(line, [i])
    else known.push(i)
  }
  const popular = Math.floor(lines.length / 100) + 1
  if (lines.length >= POPULAR_FROM_LINES)
    for (const [line, found] of places) if (found.length > popular) places.delete(line)
  return places
}

/** The longest block of equal lines in an area, the first of several; then as long as its neighbours are equal too. */
function longestBlock(a: readonly string[], b: readonly string[], area: Area, places: Places): Block {
  let best: Block = { a: area.a[0], b: area.b[0], size: 0 }
  let lengths = new Map<number, number>()
  for (let i = area.a[0]; i < area.a[1]; i++) {
    const next = new Map<number, number>()
    for (const j of places.get(a[i]!) ?? []) {
      if (j < area.b[0]) continue
      if (j >= area.b[1]) break
      const size = (lengths.get(j - 1) ?? 0) + 1
      next.set(j, size)
      if (size > best.size) best = { a: i - size + 1, b: j - size + 1, size }
    }
    lengths = next
  }
  return extendBlock(a, b, area, best)
}

function extendBlock(a: readonly string[], b: readonly string[], area: Area, block: Block): Block {
  let { a: i, b: j, size } = block
  while (i > area.a[0] && j > area.b[0] && a[i - 1] === b[j - 1]) [i, j, size] = [i - 1, j - 1, size + 1]
  while (i + size < area.a[1] && j + size < area.b[1] && a[i + size] === b[j + size]) size++
  return { a: i, b: j, size }
}
