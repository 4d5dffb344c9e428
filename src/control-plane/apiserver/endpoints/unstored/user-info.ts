/** Users as reviews describe them. */
import type { UserInfo } from '../../request.ts'

export function toUserInfo({ name, uid, groups, extra }: UserInfo) {
  const hasExtra = Object.keys(extra).length > 0
  return {
    username: name,
    ...(uid === '' ? {} : { uid }),
    ...(groups.length === 0 ? {} : { groups: [...groups] }),
    ...(hasExtra
      ? { extra: Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]])) }
      : {}),
  }
}
