/** The checks that the level `restricted` adds: hardened pods that are not root. */
import type { Container, Volume } from '#api/core/v1.gen.ts'
import { procMount } from './baseline-checks.ts'
import {
  allContainers,
  containersText,
  counted,
  hasUserNamespace,
  isWindows,
  namesWhere,
  quoted,
  settersText,
  sorted,
  unless,
  type Check,
  type CheckPod,
} from './check.ts'
import { seccompRequired } from './profile-checks.ts'

const allowPrivilegeEscalation: CheckPod = (spec) => {
  const names = namesWhere(spec, ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false)
  return names.length === 0
    ? null
    : {
        reason: 'allowPrivilegeEscalation != false',
        detail: `${containersText(names)} must set securityContext.allowPrivilegeEscalation=false`,
      }
}

const capabilities: CheckPod = (spec) => {
  const dropsAll = ({ securityContext }: Container): boolean =>
    (securityContext?.capabilities?.drop ?? []).includes('ALL')
  const forbiddenOf = ({ securityContext }: Container): string[] =>
    (securityContext?.capabilities?.add ?? []).filter((name) => name !== 'NET_BIND_SERVICE')
  const keeping = namesWhere(spec, (container) => !dropsAll(container))
  const adding = namesWhere(spec, (container) => forbiddenOf(container).length > 0)
  const forbidden = quoted(sorted(allContainers(spec).flatMap(forbiddenOf)))
  const details = [
    ...(keeping.length > 0 ? [`${containersText(keeping)} must set securityContext.capabilities.drop=["ALL"]`] : []),
    ...(adding.length > 0
      ? [`${containersText(adding)} must not include ${forbidden} in securityContext.capabilities.add`]
      : []),
  ]
  return details.length === 0 ? null : { reason: 'unrestricted capabilities', detail: details.join('; ') }
}

const ALLOWED_VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
] as const satisfies readonly (keyof Volume)[]

const restrictedVolumes: CheckPod = ({ volumes }) => {
  const bad = (volumes ?? []).filter((volume) => ALLOWED_VOLUMES.every((type) => volume[type] === undefined))
  if (bad.length === 0) return null
  const names = bad.map(({ name }) => name)
  const types = sorted(bad.map(typeOf))
  const what = counted(types, 'restricted volume type')
  return {
    reason: 'restricted volume types',
    detail: `${counted(names, 'volume')} ${quoted(names)} ${counted(names, 'uses', 'use')} ${what} ${quoted(types)}`,
  }
}

/** The one member beside the name. */
function typeOf(volume: Volume): string {
  return Object.entries(volume).find(([field, value]) => field !== 'name' && value !== undefined)?.[0] ?? 'unknown'
}

const runAsNonRoot: CheckPod = (spec) => {
  const reason = 'runAsNonRoot != true'
  const ofPod = spec.securityContext?.runAsNonRoot
  const explicit = namesWhere(spec, ({ securityContext }) => securityContext?.runAsNonRoot === false)
  const setters = settersText(ofPod === false, explicit)
  if (setters !== '') return { reason, detail: `${setters} must not set securityContext.runAsNonRoot=false` }
  const implicit =
    ofPod === true ? [] : namesWhere(spec, ({ securityContext }) => isUnset(securityContext?.runAsNonRoot))
  return implicit.length === 0
    ? null
    : { reason, detail: `pod or ${containersText(implicit)} must set securityContext.runAsNonRoot=true` }
}

const isUnset = (value: unknown): boolean => value === undefined || value === null

const runAsUser: CheckPod = (spec) => {
  const setters = settersText(
    spec.securityContext?.runAsUser === 0,
    namesWhere(spec, ({ securityContext }) => securityContext?.runAsUser === 0),
  )
  return setters === '' ? null : { reason: 'runAsUser=0', detail: `${setters} must not set runAsUser=0` }
}

/** By id, the order of their texts. */
export const RESTRICTED_CHECKS: readonly Check[] = [
  {
    id: 'allowPrivilegeEscalation',
    versions: [
      { since: 8, check: allowPrivilegeEscalation },
      { since: 25, check: unless(isWindows, allowPrivilegeEscalation) },
    ],
  },
  {
    id: 'capabilities_restricted',
    overrides: 'capabilities_baseline',
    versions: [
      { since: 22, check: capabilities },
      { since: 25, check: unless(isWindows, capabilities) },
    ],
  },
  { id: 'procMount_restricted', overrides: 'procMount', versions: [{ since: 35, check: procMount }] },
  { id: 'restrictedVolumes', overrides: 'hostPathVolumes', versions: [{ since: 0, check: restrictedVolumes }] },
  {
    id: 'runAsNonRoot',
    versions: [
      { since: 0, check: runAsNonRoot },
      { since: 35, check: unless(hasUserNamespace, runAsNonRoot) },
    ],
  },
  {
    id: 'runAsUser',
    versions: [
      { since: 23, check: runAsUser },
      { since: 35, check: unless(hasUserNamespace, runAsUser) },
    ],
  },
  {
    id: 'seccompProfile_restricted',
    overrides: 'seccompProfile_baseline',
    versions: [
      { since: 19, check: seccompRequired },
      { since: 25, check: unless(isWindows, seccompRequired) },
    ],
  },
]
