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
const PRIVILEGED: LevelVersion = { level: 'privileged', version: 'latest' }

type Labels = Readonly<Record<string, string>>

export function readPolicy(labels: Labels = {}): { readonly policy: Policy; readonly errors: FieldError[] } {
  const errors: FieldError[] = []
  // What cannot be read is enforced strictly, and does not warn.
  const enforce = readMode(labels, 'enforce', 'restricted', errors)
  const audit = readMode(labels, 'audit', 'privileged', errors)
  let warn = readMode(labels, 'warn', 'privileged', errors)
  const isEnforced = LEVELS.includes(labels[`${PREFIX}enforce`] ?? '')
  if (labels[`${PREFIX}warn`] === undefined && isEnforced && compareLevels(enforce.level, warn.level) > 0)
    warn = {
      level: enforce.level,
      version: labels[`${PREFIX}warn-version`] === undefined ? enforce.version : warn.version,
    }
  return { policy: { enforce, audit, warn }, errors }
}

function readMode(labels: Labels, mode: string, fallback: Level, errors: FieldError[]): LevelVersion {
  const [levelLabel, versionLabel] = [PREFIX + mode, `${PREFIX}${mode}-version`]
  let { level, version } = PRIVILEGED
  const levelText = labels[levelLabel]
  if (levelText !== undefined && LEVELS.includes(levelText)) level = levelText as Level
  else if (levelText !== undefined) {
    level = fallback
    errors.push(invalidValue(`metadata.labels[${levelLabel}]`, levelText, `must be one of ${LEVELS.join(', ')}`))
  }
  const versionText = labels[versionLabel]
  const minor = /^v1\.([0-9]|[1-9][0-9]*)$/.exec(versionText ?? '')?.[1]
  if (minor !== undefined) version = Number(minor)
  else if (versionText !== undefined && versionText !== 'latest')
    errors.push(invalidValue(`metadata.labels[${versionLabel}]`, versionText, 'must be "latest" or "v1.x"'))
  return { level, version }
}

export function compareLevels(one: Level, other: Level): number {
  return LEVELS.indexOf(one) - LEVELS.indexOf(other)
}

export const isSame = (one: LevelVersion, other: LevelVersion): boolean =>
  one.level === other.level && one.version === other.version

export function formatLevel({ level, version }: LevelVersion): string {
  return `${level}:${version === 'latest' ? 'latest' : `v1.${version}`}`
}
