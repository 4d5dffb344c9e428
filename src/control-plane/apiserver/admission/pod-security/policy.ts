/** Which level of the Pod Security Standards a namespace asks for, by its labels. Pure. */
import { invalidValue, type FieldError } from '#machinery/field-error.ts'

export type Level = 'privileged' | 'baseline' | 'restricted'

export type LevelVersion = {
  readonly level: Level
  /** A minor version of Kubernetes, or the newest that is known. */
  readonly version: number | 'latest'
}

export type Policy = { readonly enforce: LevelVersion; readonly audit: LevelVersion; readonly warn: LevelVersion }

const LEVELS: readonly string[] = ['privileged', 'baseline', 'restricted'] satisfies Level[]
const PREFIX = 'pod-security.kubernetes.io/'
export const PRIVILEGED: LevelVersion = { level: 'privileged', version: 'latest' }

type Labels = Readonly<Record<string, string>>

/** `defaults`: of the cluster, for what the labels do not say. */
export function readPolicy(
  labels: Labels = {},
  defaults: Policy = { enforce: PRIVILEGED, audit: PRIVILEGED, warn: PRIVILEGED },
): { readonly policy: Policy; readonly errors: FieldError[] } {
  const errors: FieldError[] = []
  // What cannot be read is enforced strictly, and does not warn.
  const enforce = readMode(labels, { mode: 'enforce', fallback: 'restricted', unsaid: defaults.enforce }, errors)
  const audit = readMode(labels, { mode: 'audit', fallback: 'privileged', unsaid: defaults.audit }, errors)
  let warn = readMode(labels, { mode: 'warn', fallback: 'privileged', unsaid: defaults.warn }, errors)
  const isEnforced = parseLevel(labels[`${PREFIX}enforce`] ?? '') !== null
  if (labels[`${PREFIX}warn`] === undefined && isEnforced && compareLevels(enforce.level, warn.level) > 0)
    warn = {
      level: enforce.level,
      version: labels[`${PREFIX}warn-version`] === undefined ? enforce.version : warn.version,
    }
  return { policy: { enforce, audit, warn }, errors }
}

type Mode = { readonly mode: keyof Policy; readonly fallback: Level; readonly unsaid: LevelVersion }

function readMode(labels: Labels, { mode, fallback, unsaid }: Mode, errors: FieldError[]): LevelVersion {
  const [levelLabel, versionLabel] = [PREFIX + mode, `${PREFIX}${mode}-version`]
  const [levelText, versionText] = [labels[levelLabel], labels[versionLabel]]
  const level = levelText === undefined ? unsaid.level : parseLevel(levelText)
  if (level === null)
    errors.push(invalidValue(`metadata.labels[${levelLabel}]`, levelText, `must be one of ${LEVELS.join(', ')}`))
  const version = versionText === undefined ? unsaid.version : parseVersion(versionText)
  if (version === null)
    errors.push(invalidValue(`metadata.labels[${versionLabel}]`, versionText, 'must be "latest" or "v1.x"'))
  return { level: level ?? fallback, version: version ?? 'latest' }
}

/** Null for what is no level. */
export function parseLevel(text: string): Level | null {
  return LEVELS.includes(text) ? (text as Level) : null
}

/** Null for what is no version. */
export function parseVersion(text: string): LevelVersion['version'] | null {
  if (text === 'latest') return text
  const minor = /^v1\.([0-9]|[1-9][0-9]*)$/.exec(text)?.[1]
  return minor === undefined ? null : Number(minor)
}

export function compareLevels(one: Level, other: Level): number {
  return LEVELS.indexOf(one) - LEVELS.indexOf(other)
}

export const isSame = (one: LevelVersion, other: LevelVersion): boolean =>
  one.level === other.level && one.version === other.version

export const formatVersion = ({ version }: LevelVersion): string => (version === 'latest' ? version : `v1.${version}`)

export const formatLevel = (policy: LevelVersion): string => `${policy.level}:${formatVersion(policy)}`

/** The minor version of this server: later rules are not known yet. */
export const NEWEST_VERSION = 37

export const isFuture = ({ version }: LevelVersion): boolean => version !== 'latest' && version > NEWEST_VERSION

/** Nothing is enforced, told or warned about. */
export const isFullyPrivileged = ({ enforce, audit, warn }: Policy): boolean =>
  [enforce, audit, warn].every(({ level }) => level === 'privileged')
