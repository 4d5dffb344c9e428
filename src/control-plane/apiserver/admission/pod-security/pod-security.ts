/** Enforces the Pod Security Standards that a namespace's labels ask for, and warns where they will be broken. */
import type { Namespace, Pod } from '#api/core/v1.gen.ts'
import { formatFieldErrors, invalidFrom } from '#machinery/field-error.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import type { PodSecurityMetrics } from '../../metrics/admission-metrics.ts'
import { refuse, type AdmissionAttributes, type AdmissionPlugin } from '../admission.ts'
import type { ClusterReader } from '../cluster-reader.ts'
import { type PodSecurityConfiguration } from './configuration.ts'
import { detailsText, evaluatePod } from './evaluate.ts'
import { templateOf, type Template } from '../pod-template.ts'
import { exemptionWarning, namespaceWarnings } from './namespace-warnings.ts'
import { compareLevels, formatLevel, isFullyPrivileged, isSame, PRIVILEGED, readPolicy, type Policy } from './policy.ts'

/** Neither of them changes what a pod may do. */
const IGNORED_SUBRESOURCES = new Set(['exec', 'attach', 'binding', 'eviction', 'log', 'portforward', 'proxy', 'status'])

const ANNOTATION = 'pod-security.kubernetes.io/'

/** Told what is decided; without it nobody wants to know. */
type Parts = {
  readonly cluster: ClusterReader
  readonly configuration: PodSecurityConfiguration
  readonly metrics: PodSecurityMetrics | undefined
}

export function createPodSecurity(
  cluster: ClusterReader,
  configuration: PodSecurityConfiguration,
  metrics?: PodSecurityMetrics,
): AdmissionPlugin {
  const parts = { cluster, configuration, metrics }
  return {
    name: 'PodSecurity',
    async validate(attributes) {
      const { operation, kind, subresource } = attributes
      if (operation !== 'CREATE' && operation !== 'UPDATE') return
      if (kind.group === '' && kind.resource === 'namespaces') return checkNamespace(parts, attributes)
      const isPod = kind.group === '' && kind.resource === 'pods'
      if (isPod ? IGNORED_SUBRESOURCES.has(subresource) : subresource !== '') return
      const template = isPod ? (attributes.object as Pod) : templateOf(attributes)
      if (template !== null) await checkTemplate(parts, attributes, template, isPod)
    },
  }
}

async function checkTemplate(
  parts: Parts,
  attributes: AdmissionAttributes,
  template: Template,
  isPod: boolean,
): Promise<void> {
  const { cluster, configuration, metrics } = parts
  const { namespaces, usernames, runtimeClasses } = configuration.exemptions
  const exempt = (reason: string): void => {
    metrics?.countExemption(attributes)
    attributes.annotate(`${ANNOTATION}exempt`, reason)
  }
  if (namespaces.includes(attributes.namespace)) return exempt('namespace')
  if (usernames.includes(attributes.user.name)) return exempt('user')
  const namespace = await cluster.get<Namespace>('', 'namespaces', '', attributes.namespace)
  const { policy, errors } = readPolicy(namespace?.metadata.labels, configuration.defaults)
  if (errors.length === 0 && asksNothing(policy, isPod)) {
    if (!isPod) return
    metrics?.countEvaluation(attributes, 'enforce', policy.enforce, 'allow')
    return attributes.annotate(`${ANNOTATION}enforce-policy`, formatLevel(PRIVILEGED))
  }
  const isUpdate = isPod && attributes.operation === 'UPDATE'
  if (isUpdate && !changesImages(attributes.object as Pod, attributes.oldObject as Pod)) return
  if (runtimeClasses.includes(template.spec?.runtimeClassName ?? '')) return exempt('runtimeClass')
  if (errors.length > 0) {
    metrics?.countError(attributes, false)
    attributes.annotate(`${ANNOTATION}error`, `Failed to parse policy: ${formatFieldErrors(errors)}`)
  }
  checkPod({ attributes, policy, metrics }, template, isPod)
}

/** Controllers' templates are not refused. */
const asksNothing = (policy: Policy, isPod: boolean): boolean =>
  isPod ? isFullyPrivileged(policy) : policy.warn.level === 'privileged' && policy.audit.level === 'privileged'

type Checked = {
  readonly attributes: AdmissionAttributes
  readonly policy: Policy
  readonly metrics: PodSecurityMetrics | undefined
}

/** Controllers' templates are only told of: their pods are refused later. */
function checkPod({ attributes, policy, metrics }: Checked, template: Template, enforces: boolean): void {
  const { spec, metadata = {} } = template
  if (spec === undefined) return
  const evaluate = (mode: keyof Policy): string | null => {
    const violations = evaluatePod(policy[mode], spec, metadata)
    if (violations.length > 0) metrics?.countEvaluation(attributes, mode, policy[mode], 'deny')
    else if (mode === 'enforce') metrics?.countEvaluation(attributes, mode, policy[mode], 'allow')
    if (violations.length === 0) return null
    return `violate${mode === 'enforce' ? 's' : ''} PodSecurity ${JSON.stringify(formatLevel(policy[mode]))}: ${detailsText(violations)}`
  }
  if (enforces) attributes.annotate(`${ANNOTATION}enforce-policy`, formatLevel(policy.enforce))
  const enforced = enforces ? evaluate('enforce') : null
  const audited = evaluate('audit')
  if (audited !== null) attributes.annotate(`${ANNOTATION}audit-violations`, `would ${audited}`)
  if (enforced !== null) throw refuse(attributes, enforced)
  const warned = evaluate('warn')
  if (warned !== null) attributes.warn(`would ${warned}`)
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

async function checkNamespace(
  { cluster, configuration }: Pick<Parts, 'cluster' | 'configuration'>,
  attributes: AdmissionAttributes,
): Promise<void> {
  if (attributes.subresource !== '') return
  const { name, oldObject } = attributes
  const { defaults, exemptions } = configuration
  const { labels } = (attributes.object as KubernetesObject).metadata
  const { policy, errors } = readPolicy(labels, defaults)
  const old = oldObject === null ? null : readPolicy(oldObject.metadata.labels, defaults)
  if (errors.length > 0 && JSON.stringify(errors) !== JSON.stringify(old?.errors))
    throw invalidFrom(attributes.kind, name, errors)
  if (old !== null && !isStricter(policy, old.policy)) return
  if (exemptions.namespaces.includes(name)) {
    const warning = exemptionWarning(name, { policy, defaults, labels: labels ?? {} })
    if (warning !== null) attributes.warn(warning)
  } else if (old !== null) {
    const pods = await cluster.list<Pod>('', 'pods', name)
    for (const text of namespaceWarnings(name, policy.enforce, pods)) attributes.warn(text)
  }
}

/** So that pods which are there may break what is enforced now. */
function isStricter({ enforce: now }: Policy, { enforce: before }: Policy): boolean {
  if (isSame(now, before) || now.level === 'privileged') return false
  return now.version !== before.version || compareLevels(now.level, before.level) > 0
}
