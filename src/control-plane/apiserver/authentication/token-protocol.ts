/** WebSocket clients in a browser cannot set headers: their token comes as a subprotocol, beside another one. */
import { unauthorized } from '#machinery/status-error.ts'

const TOKEN_PROTOCOL = 'base64url.bearer.authorization.k8s.io.'

const namesOf = (header: string | undefined): readonly string[] =>
  (header ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')

/** Null without a token; throws where it is the only protocol, for then the server has none to choose. */
export function tokenOfProtocols(header: string | undefined): string | null {
  const encoded = namesOf(header).find((name) => name.startsWith(TOKEN_PROTOCOL))
  if (encoded === undefined) return null
  if (protocolsWithoutToken(header).length === 0) throw unauthorized()
  return Buffer.from(encoded.slice(TOKEN_PROTOCOL.length), 'base64url').toString()
}

/** Those that the server may choose from. */
export const protocolsWithoutToken = (header: string | undefined): readonly string[] =>
  namesOf(header).filter((name) => !name.startsWith(TOKEN_PROTOCOL))
