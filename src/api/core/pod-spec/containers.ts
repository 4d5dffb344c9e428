/** Checks the containers of a pod: main, init and ephemeral ones. */
import type { Container, EphemeralContainer, PodSpec } from '#api/core/v1.gen.ts'
import { checkDnsLabel, checkPresent, checkRequiredEnum } from '#api/validation.ts'
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  notFoundValue,
  required,
} from '#machinery/field-error.ts'
import { type AnyContainer, isSidecar } from './containers-of.ts'
import { validateContainerPorts, validateHostPorts } from './container-ports.ts'
import { validateEnv, validateEnvFrom } from './environment.ts'
import { validateLifecycle } from './handlers.ts'
import type { PodValidationOptions } from './options.ts'
import { validateProbes } from './probes.ts'
import { PULL_POLICIES } from './pull-policy.ts'
import { validateContainerResources, validateResizePolicy } from './resources.ts'
import { validateContainerRestartPolicy } from './restart-policy.ts'
import { validateSecurityContext } from './security-context.ts'
import { validateVolumeDevices, validateVolumeMounts, type Volumes } from './volume-mounts.ts'

/** What a container's check needs to know of its pod. */
export type ContainerContext = {
  readonly spec: PodSpec
  readonly volumes: Volumes
  readonly claimNames: ReadonlySet<string>
  readonly options: PodValidationOptions
}

const MESSAGE_POLICIES = ['File', 'FallbackToLogsOnError']

export function validateContainers(errors: FieldError[], context: ContainerContext, path: string): void {
  const { spec } = context
  const containers = spec.containers ?? []
  if (containers.length === 0) {
    errors.push(required(path))
    return
  }
  const names = new Set<string>()
  for (const [i, container] of containers.entries()) {
    const place = `${path}[${i}]`
    validateCommon(errors, container, { ...context, path: place })
    if (names.has(container.name)) errors.push(duplicate(`${place}.name`, container.name))
    names.add(container.name)
    validateHooksAndProbes(errors, container, { spec, path: place })
    validateContainerRestartPolicy(errors, container, { ...context.options, path: place })
  }
  validateHostPorts(errors, containers, path)
}

type Place = ContainerContext & { readonly path: string }

function validateCommon(errors: FieldError[], container: AnyContainer, context: Place): void {
  const { path, volumes, claimNames, options, spec } = context
  if (checkPresent(errors, `${path}.name`, container.name)) checkDnsLabel(errors, `${path}.name`, container.name)
  checkPresent(errors, `${path}.image`, container.image)
  checkRequiredEnum(errors, `${path}.terminationMessagePolicy`, container.terminationMessagePolicy, MESSAGE_POLICIES)
  validateContainerPorts(errors, container, path)
  if (container.env) validateEnv(errors, container.env, `${path}.env`)
  if (container.envFrom) validateEnvFrom(errors, container.envFrom, `${path}.envFrom`)
  validateVolumeMounts(errors, container, { path: `${path}.volumeMounts`, volumes })
  validateVolumeDevices(errors, container, { path: `${path}.volumeDevices`, volumes })
  checkRequiredEnum(errors, `${path}.imagePullPolicy`, container.imagePullPolicy, PULL_POLICIES)
  const { allowIndivisibleHugePages, allowSysAdmin } = options
  validateContainerResources(errors, container.resources, {
    path: `${path}.resources`,
    claimNames,
    allowIndivisibleHugePages,
  })
  const policies = container.resizePolicy ?? []
  validateResizePolicy(errors, policies, { path: `${path}.resizePolicy`, restartPolicy: spec.restartPolicy })
  validateSecurityContext(errors, container.securityContext, {
    path: `${path}.securityContext`,
    hostUsers: spec.hostUsers !== false,
    allowSysAdmin,
  })
}

type SpecPlace = { readonly spec: PodSpec; readonly path: string }

function validateHooksAndProbes(errors: FieldError[], container: Container, { spec, path }: SpecPlace): void {
  const gracePeriod = spec.terminationGracePeriodSeconds
  if (container.lifecycle)
    validateLifecycle(errors, container.lifecycle, { path: `${path}.lifecycle`, gracePeriod, os: spec.os?.name })
  validateProbes(errors, container, { path, gracePeriod })
}

function forbidRules(errors: FieldError[], { restartPolicyRules = [] }: Container, path: string): void {
  if (restartPolicyRules.length === 0) return
  const text = 'restartPolicyRules are not allowed for init containers with restart policy Always'
  errors.push(forbiddenField(`${path}.restartPolicyRules`, text))
}

const NOT_FOR_INIT = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const

export function validateInitContainers(errors: FieldError[], context: ContainerContext, path: string): void {
  const { spec, options } = context
  const names = new Set((spec.containers ?? []).map((container) => container.name))
  for (const [i, container] of (spec.initContainers ?? []).entries()) {
    const place = `${path}[${i}]`
    validateCommon(errors, container, { ...context, path: place })
    if (isSidecar(container) && !options.allowRestartAllContainers) forbidRules(errors, container, place)
    else validateContainerRestartPolicy(errors, container, { ...options, path: place })
    const { name } = container
    if (names.has(name)) errors.push(duplicate(`${place}.name`, name))
    else if (name) names.add(name)
    validateHostPorts(errors, [container], path)
    if (isSidecar(container)) {
      validateHooksAndProbes(errors, container, { spec, path: place })
      continue
    }
    for (const field of NOT_FOR_INIT)
      if (container[field] !== undefined)
        errors.push(
          forbiddenField(`${place}.${field}`, 'may not be set for init containers without restartPolicy=Always'),
        )
    if (!options.allowRestartingInitResize) validateInitResize(errors, container, place)
  }
}

function validateInitResize(errors: FieldError[], { resizePolicy = [] }: Container, path: string): void {
  for (const [i, { restartPolicy }] of resizePolicy.entries()) {
    if (restartPolicy !== 'RestartContainer') continue
    const text = "must not be set to 'RestartContainer' for non-sidecar initContainers"
    errors.push(invalidValue(`${path}.resizePolicy[${i}].restartPolicy`, restartPolicy, text))
  }
}

/** Fields that ephemeral containers share with others but may not use. */
const NOT_FOR_EPHEMERAL = [
  'ports',
  'resources',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
] as const satisfies readonly (keyof EphemeralContainer)[]

export function validateEphemeralContainers(errors: FieldError[], context: ContainerContext, path: string): void {
  const { spec } = context
  const others = new Set([...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ name }) => name))
  const names = new Set(others)
  for (const [i, container] of (spec.ephemeralContainers ?? []).entries()) {
    const place = `${path}[${i}]`
    validateCommon(errors, container, { ...context, path: place })
    validateImageSpaces(errors, container, place)
    if (names.has(container.name)) errors.push(duplicate(`${place}.name`, container.name))
    names.add(container.name)
    const target = container.targetContainerName ?? ''
    if (target !== '' && !others.has(target)) errors.push(notFoundValue(`${place}.targetContainerName`, target))
    validateEphemeralFields(errors, container, place)
  }
}

function validateEphemeralFields(errors: FieldError[], container: EphemeralContainer, path: string): void {
  const text = 'cannot be set for an Ephemeral Container'
  for (const field of NOT_FOR_EPHEMERAL)
    if (isSet(container[field])) errors.push(forbiddenField(`${path}.${field}`, text))
  for (const [i, { subPath, subPathExpr }] of (container.volumeMounts ?? []).entries()) {
    if (subPath) errors.push(forbiddenField(`${path}.volumeMounts[${i}].subPath`, text))
    if (subPathExpr) errors.push(forbiddenField(`${path}.volumeMounts[${i}].subPathExpr`, text))
  }
}

/** `resources: {}` says nothing. */
function isSet(value: unknown): boolean {
  return typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : value !== undefined
}

/** Only pods are strict about it: old templates may hold such images. */
export function validateImageSpaces(errors: FieldError[], { image = '' }: AnyContainer, path: string): void {
  if (image.trim() !== image)
    errors.push(invalidValue(`${path}.image`, image, 'must not have leading or trailing whitespace'))
}
