/** A test reporter that prints failures whole and then one closing line: `N passed, N failed, N skipped`. */
import type { TestEvent } from 'node:test/reporters'

export default async function* summarize(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let [passed, failed, skipped] = [0, 0, 0]
  for await (const event of source) {
    if (event.type === 'test:pass') {
      if (event.data.details.type === 'suite') continue
      if (event.data.skip !== undefined) {
        skipped++
        yield `skipped: ${event.data.name}${typeof event.data.skip === 'string' ? ` (${event.data.skip})` : ''}\n`
      } else passed++
    } else if (event.type === 'test:fail') {
      if (event.data.details.type === 'suite') continue
      failed++
      const error = event.data.details.error
      const cause =
        error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : String(error.cause ?? error.message)
      yield `\nFAILED ${event.data.file ?? ''} ${event.data.name}\n${cause}\n`
    } else if (event.type === 'test:stderr' || event.type === 'test:stdout') {
      yield event.data.message
    }
  }
  yield `\n${passed} passed, ${failed} failed, ${skipped} skipped\n`
}
