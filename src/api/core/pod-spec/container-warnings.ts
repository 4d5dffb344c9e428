/** Warns of suspicious resources and environment variables of containers. */
import type { EnvVar, PodSpec } from '#api/core/v1.gen.ts'
import { visitContainers } from './containers-of.ts'
import { fractionWarning } from './fraction-warnings.ts'

export function containerWarnings(spec: PodSpec, path: string): string[] {
  const warnings: string[] = []
  visitContainers(spec, path, ({ resources, env = [] }, place) => {
    for (const name of ['memory', 'ephemeral-storage'])
      for (const part of ['limits', 'requests'] as const)
        warnings.push(...fractionWarning(resources?.[part]?.[name], `${place}.resources.${part}[${name}]`))
    warnings.push(...envWarnings(env, `${place}.env`))
  })
  return warnings
}

/** A second definition is fine only when it extends the first one: `PATH=$(PATH):/opt`. */
function envWarnings(env: readonly EnvVar[], path: string): string[] {
  const seen = new Set<string>()
  const warnings: string[] = []
  for (const [i, { name, value = '', valueFrom }] of env.entries()) {
    const reference = `$(${name})`
    const isExtension = valueFrom === undefined && value !== reference && value.includes(reference)
    if (seen.has(name) && !isExtension) {
      const text = `hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`
      warnings.push(`${path}[${i}]: ${text}`)
    }
    seen.add(name)
  }
  return warnings
}
