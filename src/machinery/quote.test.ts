/** Texts are quoted as Go's `%q` quotes them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { quote } from './quote.ts'

test('what can be printed stays, the rest is escaped', () => {
  assert.equal(quote('plain ~'), '"plain ~"')
  assert.equal(quote('a"b\\c'), String.raw`"a\"b\\c"`)
  assert.equal(quote('\u0007\b\f\n\r\t\v'), String.raw`"\a\b\f\n\r\t\v"`)
  assert.equal(quote('\u0000\u001b\u007f'), String.raw`"\x00\x1b\x7f"`)
  assert.equal(quote('Größe 漢 😀'), '"Größe 漢 😀"')
  assert.equal(quote('\u00a0\u200b\u{e0001}'), String.raw`"\u00a0\u200b\U000e0001"`)
})
