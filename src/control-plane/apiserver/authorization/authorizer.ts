/** The question every request, and every access review, asks: may this user do this? */
import type { UserInfo } from '../request.ts'

export type Attributes = {
  readonly user: UserInfo
  readonly verb: string
  readonly isResourceRequest: boolean
  readonly namespace: string
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly subresource: string
  readonly name: string
  /** For requests that are not about resources. */
  readonly path: string
  /** The selector as the request has it, when it is one that can be authorized by selector. */
  readonly fieldSelector?: string
}

/** 'no-opinion' lets the next authorizer decide; when none allows, the request is forbidden. */
export type Decision = { readonly verdict: 'allow' | 'deny' | 'no-opinion'; readonly reason: string }

export type PolicyRule = {
  readonly verbs: readonly string[]
  readonly apiGroups?: readonly string[]
  readonly resources?: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly nonResourceURLs?: readonly string[]
}

export interface Authorizer {
  authorize(attributes: Attributes): Promise<Decision>
  /** All rules of a user in a namespace, for SelfSubjectRulesReview and escalation checks; `incomplete` when some cannot be listed. */
  rulesFor(
    user: UserInfo,
    namespace: string,
  ): Promise<{
    readonly rules: readonly PolicyRule[]
    readonly incomplete: boolean
    readonly errors: readonly string[]
  }>
}
