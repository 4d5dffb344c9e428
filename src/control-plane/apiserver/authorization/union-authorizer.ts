/** Asks authorizers in order until one allows or denies; members of system:masters may do everything. */
import type { UserInfo } from '../request.ts'
import type { Attributes, Authorizer, Decision, PolicyRule } from './authorizer.ts'

const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
]

/** Allows members of system:masters without looking at rules, so that a broken policy can be repaired. */
export class SuperuserAuthorizer implements Authorizer {
  async authorize({ user }: Attributes): Promise<Decision> {
    return user.groups.includes('system:masters')
      ? { verdict: 'allow', reason: '' }
      : { verdict: 'no-opinion', reason: '' }
  }

  async rulesFor(user: UserInfo): ReturnType<Authorizer['rulesFor']> {
    return { rules: user.groups.includes('system:masters') ? EVERYTHING : [], incomplete: false, errors: [] }
  }
}

/** Gives every request one answer: modes AlwaysAllow and AlwaysDeny. */
export class ConstantAuthorizer implements Authorizer {
  readonly #isAllowed: boolean
  constructor(isAllowed: boolean) {
    this.#isAllowed = isAllowed
  }

  async authorize(): Promise<Decision> {
    return this.#isAllowed
      ? { verdict: 'allow', reason: '' }
      : { verdict: 'no-opinion', reason: 'Everything is forbidden.' }
  }

  async rulesFor(): ReturnType<Authorizer['rulesFor']> {
    return { rules: this.#isAllowed ? EVERYTHING : [], incomplete: false, errors: [] }
  }
}

export class UnionAuthorizer implements Authorizer {
  readonly #authorizers: readonly Authorizer[]
  constructor(authorizers: readonly Authorizer[]) {
    this.#authorizers = authorizers
  }

  async authorize(attributes: Attributes): Promise<Decision> {
    const reasons: string[] = []
    for (const authorizer of this.#authorizers) {
      const decision = await authorizer.authorize(attributes)
      if (decision.verdict !== 'no-opinion') return decision
      if (decision.reason !== '') reasons.push(decision.reason)
    }
    return { verdict: 'no-opinion', reason: reasons.join('\n') }
  }

  async rulesFor(user: UserInfo, namespace: string): ReturnType<Authorizer['rulesFor']> {
    const answers = await Promise.all(this.#authorizers.map((authorizer) => authorizer.rulesFor(user, namespace)))
    return {
      rules: answers.flatMap((answer) => answer.rules),
      incomplete: answers.some((answer) => answer.incomplete),
      errors: answers.flatMap((answer) => answer.errors),
    }
  }
}
