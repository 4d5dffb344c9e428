/** WebSocket clients in a browser cannot set headers: their token comes as a subprotocol, beside another one. */
import { unauthorized } from '#machinery/status-error.ts'

const TOKEN_PROTOCOL = 'base64url.bearer.authorization.k8s.io.'

/** Null without a token; throws where it is the only protocol, for then the server has none to choose. */
export function tokenOfProtocols(header: string | undefined): string | null {
  const protocols = (header ?? '').split(',').map((name) => name.trim())
  const encoded = protocols.find((name) => name.startsWith(TOKEN_PROTOCOL))
  if (encoded === undefined) return null
  if (protocols.every((name) => name.startsWith(TOKEN_PROTOCOL))) throw unauthorized()
  return Buffer.from(encoded.slice(TOKEN_PROTOCOL.length), 'base64url').toString()
}
