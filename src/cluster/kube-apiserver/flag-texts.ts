/** The flags that an API server started without a command line runs with, for its /flagz. */
import { parseFlags } from '../flag-set/parse-flags.ts'
import { KUBE_APISERVER_SECTIONS, type KubeApiserverFlags } from './flags/index.ts'

/** Every flag with its value as text: those given, and the defaults of all others. */
export function flagTexts(given: Partial<Record<keyof KubeApiserverFlags, string>>): ReadonlyMap<string, string> {
  const args = Object.entries(given).map(([name, value]) => `--${name}=${value}`)
  return parseFlags<KubeApiserverFlags>('kube-apiserver', KUBE_APISERVER_SECTIONS, args).texts
}
