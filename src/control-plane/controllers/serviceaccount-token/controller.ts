/** Fills Secrets of type service-account-token with a token and the root certificate; deletes those whose account is gone. */
import type { Secret, ServiceAccount } from '#api/core/v1.gen.ts'
import { SECRETS, SERVICEACCOUNTS } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import { keyOf, type Informer } from '#client/informer.ts'
import { isNotFound } from '#machinery/status-error.ts'
import type { Controller, ControllerContext, ControllerOptions, Enqueue, Result } from '../controller.ts'
import { ignoreGone } from '../ignore-gone.ts'

const TOKEN_TYPE = 'kubernetes.io/service-account-token'
const NAME_ANNOTATION = 'kubernetes.io/service-account.name'
const UID_ANNOTATION = 'kubernetes.io/service-account.uid'
const BY_ACCOUNT = 'serviceaccount-token/account'

export class ServiceAccountTokenController implements Controller {
  readonly name = 'serviceaccount-token-controller'
  readonly workers = 5
  readonly #client: Client
  readonly #options: ControllerOptions
  readonly #secrets: Informer<Secret>
  readonly #accounts: Informer<ServiceAccount>

  constructor({ client, informers, options }: ControllerContext) {
    this.#client = client
    this.#options = options
    this.#secrets = informers.informer(SECRETS)
    this.#accounts = informers.informer(SERVICEACCOUNTS)
  }

  watch(enqueue: Enqueue): void {
    if (this.#options.serviceAccountSigner === undefined) return
    this.#secrets.addIndex(BY_ACCOUNT, (secret) => accountKeyOf(secret) ?? [])
    const onSecret = (secret: Secret): void => {
      if (secret.type === TOKEN_TYPE) enqueue(keyOf(secret))
    }
    const onAccount = (account: ServiceAccount): void => {
      for (const secret of this.#secrets.byIndex(BY_ACCOUNT, keyOf(account))) enqueue(keyOf(secret))
    }
    this.#secrets.addHandler({ added: onSecret, updated: onSecret })
    this.#accounts.addHandler({ added: onAccount, updated: onAccount, deleted: onAccount })
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const secret = this.#secrets.get(key)
    if (secret?.type !== TOKEN_TYPE || secret.metadata.deletionTimestamp !== undefined) return {}
    const [accountKey] = accountKeyOf(secret) ?? []
    if (accountKey === undefined) return {}
    const account = this.#accounts.get(accountKey) ?? (await this.#liveAccount(secret, signal))
    const uid = secret.metadata.annotations?.[UID_ANNOTATION]
    if (account === null || (uid !== undefined && uid !== '' && uid !== account.metadata.uid))
      await this.#delete(secret, signal)
    else await this.#fill(secret, account, signal)
    return {}
  }

  async #liveAccount({ metadata }: Secret, signal: AbortSignal): Promise<ServiceAccount | null> {
    try {
      const name = metadata.annotations![NAME_ANNOTATION]!
      return await this.#client.get<ServiceAccount>(SERVICEACCOUNTS, metadata.namespace ?? '', name, signal)
    } catch (error) {
      if (isNotFound(error)) return null
      throw error
    }
  }

  async #fill(secret: Secret, account: ServiceAccount, signal: AbortSignal): Promise<void> {
    const sign = this.#options.serviceAccountSigner
    const { data = {}, metadata } = secret
    if (sign === undefined) return
    const { namespace = '', name, uid } = account.metadata
    const certificate = this.#options.rootCa === undefined ? {} : { 'ca.crt': base64(this.#options.rootCa) }
    const known = { ...certificate, namespace: base64(namespace) }
    const isFilled =
      (data['token'] ?? '') !== '' && Object.entries(known).every(([field, value]) => data[field] === value)
    const hasUid = metadata.annotations?.[UID_ANNOTATION] === uid
    if (isFilled && hasUid) return
    const token = data['token'] || base64(await sign({ namespace, name, uid, secretName: metadata.name }))
    const annotations = { ...metadata.annotations, [UID_ANNOTATION]: uid }
    await this.#client.update<Secret>(
      SECRETS,
      { ...secret, metadata: { ...metadata, annotations }, data: { ...data, ...known, token } },
      signal,
    )
  }

  async #delete({ metadata }: Secret, signal: AbortSignal): Promise<void> {
    const preconditions = { uid: metadata.uid }
    await ignoreGone(this.#client.delete(SECRETS, metadata.namespace ?? '', metadata.name, { preconditions }, signal))
  }
}

function accountKeyOf({ type, metadata }: Secret): [string] | null {
  const name = metadata.annotations?.[NAME_ANNOTATION]
  return type === TOKEN_TYPE && name !== undefined ? [`${metadata.namespace}/${name}`] : null
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')
