/** Enforces the Pod Security Standards that a namespace's labels ask for, and warns where they will be broken. */
import type { Namespace, Pod, PodSpec } from '#api/core/v1.gen.ts'
import { invalidFrom } from '#machinery/field-error.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import type { ObjectMeta } from '#machinery/meta/v1.gen.ts'
import { refuse, type AdmissionAttributes, type AdmissionPlugin } from '../admission.ts'
import type { ClusterReader } from '../cluster-reader.ts'
import { detailsText, evaluatePod } from './evaluate.ts'
import { namespaceWarnings } from './namespace-warnings.ts'
import { compareLevels, formatLevel, isSame, readPolicy, type Policy } from './policy.ts'

/** Neither of them changes what a pod may do. */
const IGNORED_SUBRESOURCES = new Set(['exec', 'attach', 'binding', 'eviction', 'log', 'portforward', 'proxy', 'status'])

export function createPodSecurity(cluster: ClusterReader): AdmissionPlugin {
  return {
    name: 'PodSecurity',
    async validate(attributes) {
      const { operation, kind, subresource } = attributes
      if (operation !== 'CREATE' && operation !== 'UPDATE') return
      if (kind.group === '' && kind.resource === 'namespaces') return checkNamespace(cluster, attributes)
      const isPod = kind.group === '' && kind.resource === 'pods'
      if (isPod ? IGNORED_SUBRESOURCES.has(subresource) : subresource !== '') return
      const template = isPod ? (attributes.object as Pod) : templateOf(attributes)
      if (template === null) return
      const namespace = await cluster.get<Namespace>('', 'namespaces', '', attributes.namespace)
      const { policy } = readPolicy(namespace?.metadata.labels)
      if (isPod && operation === 'UPDATE' && !changesImages(attributes.object as Pod, attributes.oldObject as Pod))
        return
      checkPod(attributes, policy, template, isPod)
    },
  }
}

type Template = { readonly metadata?: Pick<ObjectMeta, 'annotations'>; readonly spec?: PodSpec }

/** Where kinds that make pods keep their template. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  '/podtemplates': ['template'],
  '/replicationcontrollers': ['spec', 'template'],
  'apps/replicasets': ['spec', 'template'],
  'apps/deployments': ['spec', 'template'],
  'apps/daemonsets': ['spec', 'template'],
  'apps/statefulsets': ['spec', 'template'],
  'batch/jobs': ['spec', 'template'],
  'batch/cronjobs': ['spec', 'jobTemplate', 'spec', 'template'],
}

function templateOf({ kind, object }: AdmissionAttributes): Template | null {
  const path = TEMPLATES[`${kind.group}/${kind.resource}`]
  if (path === undefined) return null
  let value: unknown = object
  for (const name of path) value = (value as Record<string, unknown> | undefined)?.[name]
  return (value as Template | undefined) ?? null
}

/** Controllers' templates are only warned about: their pods are refused later. */
function checkPod(attributes: AdmissionAttributes, policy: Policy, template: Template, enforces: boolean): void {
  const { spec, metadata = {} } = template
  if (spec === undefined) return
  if (enforces) {
    const violations = evaluatePod(policy.enforce, spec, metadata)
    if (violations.length > 0)
      throw refuse(
        attributes,
        `violates PodSecurity ${JSON.stringify(formatLevel(policy.enforce))}: ${detailsText(violations)}`,
      )
  }
  const violations = evaluatePod(policy.warn, spec, metadata)
  if (violations.length > 0)
    attributes.warn(`would violate PodSecurity ${JSON.stringify(formatLevel(policy.warn))}: ${detailsText(violations)}`)
}

type Imaged = { readonly name: string; readonly image?: string }

/** Of what may change in a running pod only images and new ephemeral containers count. */
function changesImages(pod: Pod, old: Pod): boolean {
  const differ = (now: readonly Imaged[] = [], before: readonly Imaged[] = []): boolean =>
    now.length !== before.length || now.some(({ image }, i) => image !== before[i]!.image)
  const ephemeral = old.spec.ephemeralContainers ?? []
  return (
    differ(pod.spec.containers, old.spec.containers) ||
    differ(pod.spec.initContainers, old.spec.initContainers) ||
    (pod.spec.ephemeralContainers ?? []).some(
      ({ name, image }) => ephemeral.find((before) => before.name === name)?.image !== image,
    )
  )
}

async function checkNamespace(cluster: ClusterReader, attributes: AdmissionAttributes): Promise<void> {
  if (attributes.subresource !== '') return
  const namespace = attributes.object as KubernetesObject
  const { policy, errors } = readPolicy(namespace.metadata.labels)
  const old = attributes.oldObject === null ? null : readPolicy(attributes.oldObject.metadata.labels)
  if (errors.length > 0 && JSON.stringify(errors) !== JSON.stringify(old?.errors))
    throw invalidFrom(attributes.kind, attributes.name, errors)
  if (old === null) return
  const [now, before] = [policy.enforce, old.policy.enforce]
  if (isSame(now, before) || now.level === 'privileged') return
  if (now.version === before.version && compareLevels(now.level, before.level) < 1) return
  const pods = await cluster.list<Pod>('', 'pods', attributes.name)
  for (const text of namespaceWarnings(attributes.name, now, pods)) attributes.warn(text)
}
