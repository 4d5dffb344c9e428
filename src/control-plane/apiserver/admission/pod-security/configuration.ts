/** The settings of Pod Security for the whole cluster: what namespaces without labels ask for, and who is exempt. */
import { duplicate, formatFieldErrors, invalidValue, type FieldError } from '#machinery/field-error.ts'
import { isDns1123Label, isDns1123Subdomain } from '#machinery/validation/names.ts'
import { configurationOf, initFailure, type PluginConfigurations } from '../configuration.ts'
import { parseLevel, parseVersion, PRIVILEGED, type LevelVersion, type Policy } from './policy.ts'

export type PodSecurityConfiguration = {
  readonly defaults: Policy
  readonly exemptions: {
    readonly usernames: readonly string[]
    readonly namespaces: readonly string[]
    readonly runtimeClasses: readonly string[]
  }
}

export const DEFAULT_POD_SECURITY: PodSecurityConfiguration = {
  defaults: { enforce: PRIVILEGED, audit: PRIVILEGED, warn: PRIVILEGED },
  exemptions: { usernames: [], namespaces: [], runtimeClasses: [] },
}

type Written = {
  readonly defaults?: Readonly<Record<string, string>>
  readonly exemptions?: Partial<PodSecurityConfiguration['exemptions']>
}

const PLUGIN = 'PodSecurity'
const FORM = {
  group: 'pod-security.admission.config.k8s.io',
  versions: ['v1', 'v1beta1', 'v1alpha1'],
  kind: 'PodSecurityConfiguration',
  fields: ['defaults', 'exemptions'],
}

export function readPodSecurityConfiguration(configurations: PluginConfigurations): PodSecurityConfiguration {
  const written = configurationOf<Written>(configurations, PLUGIN, FORM)
  if (written === null) return DEFAULT_POD_SECURITY
  const errors: FieldError[] = []
  const mode = (name: string): LevelVersion => readMode(written.defaults ?? {}, name, errors)
  const [enforce, warn, audit] = [mode('enforce'), mode('warn'), mode('audit')]
  const { namespaces = [], runtimeClasses = [], usernames = [] } = written.exemptions ?? {}
  errors.push(...listProblems('exemptions.namespaces', namespaces, isDns1123Label))
  errors.push(...listProblems('exemptions.runtimeClasses', runtimeClasses, isDns1123Subdomain))
  const isEmpty = (name: string): string[] => (name === '' ? ['username must not be empty'] : [])
  errors.push(...listProblems('exemptions.usernames', usernames, isEmpty))
  if (errors.length > 0) throw initFailure(PLUGIN, `${PLUGIN} invalid: ${formatFieldErrors(errors)}`)
  return { defaults: { enforce, audit, warn }, exemptions: { namespaces, runtimeClasses, usernames } }
}

function readMode(defaults: Readonly<Record<string, string>>, mode: string, errors: FieldError[]): LevelVersion {
  const [levelText, versionText] = [defaults[mode] || 'privileged', defaults[`${mode}-version`] || 'latest']
  const [level, version] = [parseLevel(levelText), parseVersion(versionText)]
  if (level === null)
    errors.push(invalidValue(`defaults.${mode}`, levelText, 'must be one of privileged, baseline, restricted'))
  if (version === null) errors.push(invalidValue(`defaults.${mode}-version`, versionText, 'must be "latest" or "v1.x"'))
  return { level: level ?? 'privileged', version: version ?? 'latest' }
}

function listProblems(field: string, values: readonly string[], problemsOf: (value: string) => string[]): FieldError[] {
  return values.flatMap((value, i) => {
    const problems = problemsOf(value)
    if (problems.length > 0) return [invalidValue(`${field}[${i}]`, value, problems.join(', '))]
    return values.indexOf(value) < i ? [duplicate(`${field}[${i}]`, value)] : []
  })
}
