/** The Pod Security levels: what they refuse, in which words, at which version. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Container, PodSpec } from '#api/core/v1.gen.ts'
import { detailsText, evaluatePod } from './evaluate.ts'
import { readPolicy, type LevelVersion } from './policy.ts'

const LATEST: LevelVersion = { level: 'restricted', version: 'latest' }
const containerOf = (securityContext?: Container['securityContext']): Container => ({
  name: 'c',
  image: 'i',
  ...(securityContext === undefined ? {} : { securityContext }),
})
const textOf = (level: LevelVersion, spec: PodSpec): string => detailsText(evaluatePod(level, spec, {}))

test('a plain pod meets baseline, and breaks all that restricted demands', () => {
  const spec: PodSpec = { containers: [containerOf()] }
  assert.equal(textOf({ level: 'baseline', version: 'latest' }, spec), '')
  assert.equal(
    textOf(LATEST, spec),
    'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), ' +
      'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), ' +
      'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), ' +
      'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  )
})

test('a hardened pod meets restricted', () => {
  const hardened = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } }
  const spec: PodSpec = {
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [containerOf(hardened)],
  }
  assert.equal(textOf(LATEST, spec), '')
})

test('what a version did not check yet is allowed at that version', () => {
  const securityContext = { sysctls: [{ name: 'net.ipv4.tcp_rmem', value: '1' }] }
  const spec: PodSpec = { securityContext, containers: [containerOf()] }
  assert.equal(textOf({ level: 'baseline', version: 31 }, spec), 'forbidden sysctls (net.ipv4.tcp_rmem)')
  assert.equal(textOf({ level: 'baseline', version: 32 }, spec), '')
})

test('labels that cannot be read enforce strictly; an enforced level warns as well', () => {
  const label = (mode: string): string => `pod-security.kubernetes.io/${mode}`
  const { policy, errors } = readPolicy({ [label('enforce')]: 'x', [label('warn-version')]: 'y' })
  assert.equal(policy.enforce.level, 'restricted')
  assert.equal(errors.length, 2)
  const enforced = readPolicy({ [label('enforce')]: 'baseline', [label('enforce-version')]: 'v1.30' })
  assert.deepEqual(enforced.policy.warn, { level: 'baseline', version: 30 })
})
