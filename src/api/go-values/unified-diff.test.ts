/** Differences are shown with the blocks and the context that kube-apiserver's library chooses. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unifiedDiff } from './unified-diff.ts'

const lines = (...texts: string[]): string => texts.join('\n')
const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => String(from + i))

test('equal texts have no difference', () => {
  assert.equal(unifiedDiff('a\nb', 'a\nb'), '')
})

test('changes far from each other are groups of their own', () => {
  const before = numbers(1, 30)
  const after = before.with(4, 'five').with(19, 'twenty')
  assert.equal(
    unifiedDiff(lines(...before), lines(...after)),
    `@@ -2,7 +2,7 @@
 2
 3
 4
-5
+five
 6
 7
 8
@@ -17,7 +17,7 @@
 17
 18
 19
-20
+twenty
 21
 22
 23
`,
  )
})

test('a range of one line has no length, an empty one stands before the next line', () => {
  assert.equal(unifiedDiff('a', 'b'), '@@ -1 +1 @@\n-a\n+b\n')
  assert.equal(unifiedDiff(lines('a', 'b'), lines('a', 'x', 'b')), '@@ -1,2 +1,3 @@\n a\n+x\n b\n')
})

test('in long texts a line that comes often starts no block', () => {
  const short = numbers(1, 5).map(() => 'x')
  const long = Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? 'x' : `unique ${i}`))
  assert.equal(unifiedDiff(lines('a', 'x'), lines(...short)).includes(' x'), true)
  assert.equal(unifiedDiff(lines('a', 'x', 'b'), lines('c', ...long)).includes('\n x'), false)
})
