/** The authority of front proxies: whom the API server believes when they say in headers who sends a request. */
import type { Clock } from '#base/clock.ts'
import type { RequestHeaderSettings } from '#control-plane/apiserver/settings.ts'
import { loadOrCreateAuthority, loadOrIssue } from './certificate-files.ts'

const NAME = 'front-proxy-ca'
const CLIENT = 'front-proxy-client'

/** Makes `front-proxy-ca` and the certificate `front-proxy-client` in the folder, as kubeadm names them. */
export async function loadFrontProxy(folder: string, clock: Clock): Promise<RequestHeaderSettings> {
  const authority = await loadOrCreateAuthority(folder, NAME, NAME, clock)
  await loadOrIssue(folder, CLIENT, authority, { commonName: CLIENT, usages: ['client'] }, clock)
  return {
    clientCa: authority.certificate,
    allowedNames: [CLIENT],
    usernameHeaders: ['x-remote-user'],
    uidHeaders: [],
    groupHeaders: ['x-remote-group'],
    extraHeaderPrefixes: ['x-remote-extra-'],
  }
}

/** The same as flags. */
export const frontProxyFlags = (folder: string) => ({
  'requestheader-client-ca-file': `${folder}/${NAME}.crt`,
  'requestheader-allowed-names': CLIENT,
  'requestheader-username-headers': 'X-Remote-User',
  'requestheader-group-headers': 'X-Remote-Group',
  'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
})
