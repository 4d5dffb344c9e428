/** Client libraries as released do on our API server what they do on a real one: informers, elections, apply, pages, patches. */
import assert from 'node:assert/strict'
import test, { after, before, describe } from 'node:test'
import { LANGUAGES, clientProgram, runChecks, type Language } from '../tools/client-programs.ts'
import { startApiServer, type ApiServerUnderTest } from './upstream/api-server.ts'

const PORT = 22_300

/** The first one kills the API server on the way, and starts it again. */
const CHECKS: Record<Language, readonly string[]> = {
  go: ['informers', 'election', 'apply', 'reads', 'writes'],
  python: ['watch', 'election', 'apply', 'reads'],
  java: ['informers', 'election', 'apply', 'reads'],
  javascript: ['informers', 'apply', 'reads'],
}

describe('client libraries', () => {
  let server: ApiServerUnderTest

  before(async () => {
    server = await startApiServer(PORT)
  })

  after(() => server?.stop())

  for (const language of LANGUAGES) {
    const program = clientProgram(language)
    const skip = program === null ? 'it cannot be built here' : false
    for (const check of CHECKS[language])
      test(`${language}: ${check}`, { skip }, async () => {
        const environment = { KUBECONFIG: server.kubeconfig }
        const restart = (): Promise<void> => server.restart()
        const said = await runChecks({ program: program!, checks: [check], environment, restart })
        assert.match(said, new RegExp(`^passed: ${check}$`, 'm'))
      })
  }
})
