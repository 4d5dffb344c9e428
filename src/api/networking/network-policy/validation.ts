/** Checks NetworkPolicies. */
import { checkCidr, containsCidr, parseCidr } from '#api/cidr.ts'
import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '#api/networking/v1.gen.ts'
import { checkEnum, checkLabelSelector, checkPort, checkText } from '#api/validation.ts'
import { type FieldError, forbiddenField, invalidValue, notSupportedInOrder, required } from '#machinery/field-error.ts'
import { hasInvalidLabelValue } from '#machinery/validation/label-selector.ts'
import { isValidPortName } from '#machinery/validation/names.ts'

const POLICY_TYPES = ['Egress', 'Ingress']

type Options = {
  /** Old objects may hold these. */
  readonly allowInvalidLabelValue: boolean
  readonly knownRanges: readonly string[]
}

export function validateNetworkPolicy({ spec = {} }: NetworkPolicy, old: NetworkPolicy | null): FieldError[] {
  const errors: FieldError[] = []
  const options = optionsOf(old)
  checkLabelSelector(errors, 'spec.podSelector', spec.podSelector, options)
  for (const [i, { ports, from }] of (spec.ingress ?? []).entries())
    validateRule(errors, { path: `spec.ingress[${i}]`, ports, peers: from, peersName: 'from', options })
  for (const [i, { ports, to }] of (spec.egress ?? []).entries())
    validateRule(errors, { path: `spec.egress[${i}]`, ports, peers: to, peersName: 'to', options })
  const types = spec.policyTypes ?? []
  if (types.length > POLICY_TYPES.length)
    errors.push(invalidValue('spec.policyTypes', types, 'may not specify more than two policyTypes'))
  else for (const [i, type] of types.entries()) checkEnum(errors, `spec.policyTypes[${i}]`, type, POLICY_TYPES)
  return errors
}

function optionsOf(old: NetworkPolicy | null): Options {
  const { podSelector, ingress = [], egress = [] } = old?.spec ?? {}
  const peers = [...ingress.flatMap(({ from = [] }) => from), ...egress.flatMap(({ to = [] }) => to)]
  const knownRanges = peers.flatMap(({ ipBlock }) =>
    ipBlock === undefined ? [] : [ipBlock.cidr, ...(ipBlock.except ?? [])],
  )
  return { allowInvalidLabelValue: hasInvalidLabelValue(podSelector), knownRanges }
}

type Rule = {
  readonly path: string
  readonly ports: readonly NetworkPolicyPort[] | undefined
  readonly peers: readonly NetworkPolicyPeer[] | undefined
  readonly peersName: string
  readonly options: Options
}

function validateRule(errors: FieldError[], { path, ports, peers, peersName, options }: Rule): void {
  for (const [i, port] of (ports ?? []).entries()) validatePort(errors, `${path}.ports[${i}]`, port)
  for (const [i, peer] of (peers ?? []).entries()) validatePeer(errors, `${path}.${peersName}[${i}]`, peer, options)
}

/** In the order in which upstream names them. */
const PROTOCOLS = ['TCP', 'UDP', 'SCTP']

function validatePort(errors: FieldError[], path: string, { protocol, port, endPort }: NetworkPolicyPort): void {
  if (protocol !== undefined && !PROTOCOLS.includes(protocol))
    errors.push(notSupportedInOrder(`${path}.protocol`, protocol, PROTOCOLS))
  const refuseEnd = (text: string): void => void errors.push(invalidValue(`${path}.endPort`, endPort, text))
  if (port === undefined) {
    if (endPort !== undefined) refuseEnd('may not be specified when `port` is not specified')
  } else if (typeof port === 'string') {
    if (endPort !== undefined) refuseEnd('may not be specified when `port` is non-numeric')
    checkText(errors, `${path}.port`, port, isValidPortName)
  } else {
    checkPort(errors, `${path}.port`, port)
    if (endPort === undefined) return
    if (endPort < port) refuseEnd('must be greater than or equal to `port`')
    checkPort(errors, `${path}.endPort`, endPort)
  }
}

function validatePeer(errors: FieldError[], path: string, peer: NetworkPolicyPeer, options: Options): void {
  const { podSelector, namespaceSelector, ipBlock } = peer
  checkLabelSelector(errors, `${path}.podSelector`, podSelector, options)
  checkLabelSelector(errors, `${path}.namespaceSelector`, namespaceSelector, options)
  if (ipBlock !== undefined) validateBlock(errors, `${path}.ipBlock`, ipBlock, options)
  const hasSelector = podSelector !== undefined || namespaceSelector !== undefined
  if (ipBlock === undefined && !hasSelector) errors.push(required(path, 'must specify a peer'))
  else if (ipBlock !== undefined && hasSelector)
    errors.push(forbiddenField(path, 'may not specify both ipBlock and another peer'))
}

function validateBlock(errors: FieldError[], path: string, block: IPBlock, { knownRanges }: Options): void {
  const check = (place: string, range: string): void => {
    if (!knownRanges.includes(range)) checkCidr(errors, place, range)
  }
  if (!block.cidr) {
    errors.push(required(`${path}.cidr`))
    return
  }
  check(`${path}.cidr`, block.cidr)
  const outer = parseCidr(block.cidr)
  if (outer === null) return
  for (const [i, range] of (block.except ?? []).entries()) {
    const place = `${path}.except[${i}]`
    check(place, range)
    const inner = parseCidr(range)
    if (inner !== null && (!containsCidr(outer, inner) || inner.prefix === outer.prefix))
      errors.push(invalidValue(place, range, 'must be a strict subset of `cidr`'))
  }
}
