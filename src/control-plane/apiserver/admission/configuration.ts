/** Reads what --admission-control-config-file says: an AdmissionConfiguration with a part for each plugin that has settings. */
import { parseYaml } from '#machinery/yaml.ts'

/** Plugin -> its configuration as it was written. */
export type PluginConfigurations = ReadonlyMap<string, unknown>

const VERSIONS = new Set(['apiserver.config.k8s.io/v1', 'apiserver.k8s.io/v1alpha1'])
/** Files of their settings were given as they are before there was an AdmissionConfiguration. */
const EARLIER_FORMS: Readonly<Record<string, string>> = {
  podNodeSelectorPluginConfig: 'PodNodeSelector',
  imagePolicy: 'ImagePolicyWebhook',
}

type Written = {
  readonly apiVersion?: string
  readonly kind?: string
  readonly plugins?:
    | null
    | readonly { readonly name?: string; readonly path?: string; readonly configuration?: unknown }[]
}

/** `readPart` gives the text of a file that the configuration names. */
export async function readAdmissionConfiguration(
  text: string,
  readPart: (path: string) => Promise<string>,
): Promise<PluginConfigurations> {
  const written = (parseYaml(text) ?? {}) as Written
  const earlier = Object.keys(written).find((field) => Object.hasOwn(EARLIER_FORMS, field))
  if (earlier !== undefined) return new Map([[EARLIER_FORMS[earlier]!, written]])
  const { apiVersion = '', kind = '', plugins } = written
  if (!VERSIONS.has(apiVersion) || kind !== 'AdmissionConfiguration')
    throw new Error(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`)
  const parts = new Map<string, unknown>()
  for (const { name = '', path = '', configuration } of plugins ?? []) {
    // The first one of a name counts.
    if (parts.has(name)) continue
    if (configuration !== undefined && configuration !== null) parts.set(name, configuration)
    else if (path !== '') parts.set(name, parseYaml(await readPart(path)))
  }
  return parts
}

export type ConfigurationForm = {
  readonly group: string
  readonly versions: readonly string[]
  readonly kind: string
  /** All fields that such a configuration may have. */
  readonly fields: readonly string[]
}

/** A plugin's own part, checked for its kind and fields; null when nothing is configured. */
export function configurationOf<T>(
  configurations: PluginConfigurations,
  plugin: string,
  { group, versions, kind, fields }: ConfigurationForm,
): T | null {
  const part = configurations.get(plugin) as ({ apiVersion?: string; kind?: string } & T) | undefined | null
  if (part === undefined || part === null) return null
  const isKnown = versions.some((version) => part.apiVersion === `${group}/${version}`) && part.kind === kind
  if (!isKnown)
    throw initFailure(
      plugin,
      `no kind ${JSON.stringify(part.kind ?? '')} is registered for version ${JSON.stringify(part.apiVersion ?? '')}`,
    )
  const unknown = Object.keys(part).find((field) => !['apiVersion', 'kind', ...fields].includes(field))
  if (unknown !== undefined)
    throw initFailure(plugin, `strict decoding error: unknown field ${JSON.stringify(unknown)}`)
  return part
}

export const initFailure = (plugin: string, why: string): Error =>
  new Error(`couldn't init admission plugin ${JSON.stringify(plugin)}: ${why}`)
