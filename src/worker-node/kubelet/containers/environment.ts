/** Makes the environment of a container from its spec, ConfigMaps, Secrets, the downward API and services. */
import type { ConfigMap, Container, EnvVar, EnvVarSource, Pod, Secret, Service } from '#api/core/v1.gen.ts'
import { expandReferences } from './expand.ts'
import { fieldValue, resourceValue, type NodeFacts } from './field-values.ts'
import { serviceEnvironment, visibleServices } from './service-environment.ts'

export type EnvironmentSources = {
  readonly facts: NodeFacts
  services(): readonly Service[]
  configMap(namespace: string, name: string): Promise<ConfigMap | null>
  secret(namespace: string, name: string): Promise<Secret | null>
  /** The content of a file that an init container wrote for fileKeyRef. */
  envFile?(volumeName: string, path: string): Promise<string | null>
}

/** Ends a container's start with CreateContainerConfigError; the message is the user's. */
export class ConfigError extends Error {}

/** In order: services, envFrom, env; a later one wins. Values may refer to earlier ones. */
export async function makeEnvironment(
  pod: Pod,
  container: Container,
  sources: EnvironmentSources,
): Promise<Map<string, Buffer>> {
  const text = new Map<string, string>()
  const result = new Map<string, Buffer>()
  const namespace = pod.metadata.namespace ?? 'default'
  const services = serviceEnvironment(
    visibleServices(sources.services(), namespace, pod.spec.enableServiceLinks ?? true),
  )
  const set = (name: string, value: string | Buffer): void => {
    text.set(name, value.toString())
    result.set(name, Buffer.from(value))
  }
  for (const [name, value] of await readEnvFrom(namespace, container, sources)) set(name, value)
  const known = new Map(services)
  for (const variable of container.env ?? []) {
    const scope = new Map([...known, ...text])
    const value = await valueOf({ pod, container, sources, variable, scope })
    if (value !== null) set(variable.name, value)
  }
  // Services come first in precedence only where nothing else set the name.
  return new Map([...services.map(([name, value]): [string, Buffer] => [name, Buffer.from(value)]), ...result])
}

async function readEnvFrom(
  namespace: string,
  container: Container,
  sources: EnvironmentSources,
): Promise<[string, string | Buffer][]> {
  const variables: [string, string | Buffer][] = []
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    if (configMapRef?.name) {
      const configMap = await sources.configMap(namespace, configMapRef.name)
      if (!configMap && !configMapRef.optional) throw new ConfigError(`configmap "${configMapRef.name}" not found`)
      for (const [key, value] of Object.entries(configMap?.data ?? {})) variables.push([prefix + key, value])
    }
    if (secretRef?.name) {
      const secret = await sources.secret(namespace, secretRef.name)
      if (!secret && !secretRef.optional) throw new ConfigError(`secret "${secretRef.name}" not found`)
      for (const [key, value] of Object.entries(secret?.data ?? {}))
        variables.push([prefix + key, Buffer.from(value, 'base64')])
    }
  }
  return variables
}

type VariableContext = {
  readonly pod: Pod
  readonly container: Container
  readonly sources: EnvironmentSources
  readonly variable: EnvVar
  readonly scope: ReadonlyMap<string, string>
}

/** Null for an optional key that is not there: the variable is then not set at all. */
async function valueOf({ pod, container, sources, variable, scope }: VariableContext): Promise<string | Buffer | null> {
  const from = variable.valueFrom
  if (!from) return expandReferences(variable.value ?? '', scope)
  if (from.fieldRef) return fieldValue(pod, from.fieldRef, sources.facts)
  if (from.resourceFieldRef) return resourceValue(pod, from.resourceFieldRef, sources.facts, container)
  return await keyValue(pod, from, sources)
}

async function keyValue(pod: Pod, from: EnvVarSource, sources: EnvironmentSources): Promise<string | Buffer | null> {
  const namespace = pod.metadata.namespace ?? 'default'
  const { configMapKeyRef, secretKeyRef, fileKeyRef } = from
  if (configMapKeyRef) {
    const { name = '', key, optional } = configMapKeyRef
    const configMap = await sources.configMap(namespace, name)
    const value = configMap?.data?.[key]
    if (value !== undefined) return value
    if (optional) return null
    throw new ConfigError(
      configMap ? `couldn't find key ${key} in ConfigMap ${namespace}/${name}` : `configmap "${name}" not found`,
    )
  }
  if (secretKeyRef) {
    const { name = '', key, optional } = secretKeyRef
    const secret = await sources.secret(namespace, name)
    const value = secret?.data?.[key]
    if (value !== undefined) return Buffer.from(value, 'base64')
    if (optional) return null
    throw new ConfigError(
      secret ? `couldn't find key ${key} in Secret ${namespace}/${name}` : `secret "${name}" not found`,
    )
  }
  if (!fileKeyRef) throw new ConfigError('valueFrom names no source')
  const file = await sources.envFile?.(fileKeyRef.volumeName, fileKeyRef.path)
  const value = file === undefined || file === null ? undefined : parseEnvFile(file).get(fileKeyRef.key)
  if (value !== undefined) return value
  if (fileKeyRef.optional) return null
  throw new ConfigError(`environment variable key "${fileKeyRef.key}" not found in file "${fileKeyRef.path}"`)
}

/** `NAME='value'` a line; values stand in single quotes and may hold line breaks. */
export function parseEnvFile(text: string): Map<string, string> {
  const variables = new Map<string, string>()
  for (const match of text.matchAll(/^[ \t]*([A-Za-z_][A-Za-z0-9_]*)='([^']*)'/gm)) variables.set(match[1]!, match[2]!)
  return variables
}
