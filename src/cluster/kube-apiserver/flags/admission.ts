/** Flags of kube-apiserver for admission, and for which APIs there are. */
import { deprecated, unsupported } from '../../flag-set/flag.ts'
import { int, stringArray, strings, text } from '../../flag-set/flag-types.ts'
import { RUNTIME_CONFIG_HELP } from '../../runtime-config-flag.ts'

const OLD_WAY = 'the order of plugins is fixed'

export const API_ENABLEMENT_FLAGS = {
  'runtime-config': {
    ...stringArray(RUNTIME_CONFIG_HELP),
    type: 'mapStringString',
    print: (values: readonly string[]) => values.join(','),
  },
}

export const EGRESS_SELECTOR_FLAGS = {
  'egress-selector-config-file': unsupported(
    text('file that says how nodes and webhooks are reached'),
    'they are reached directly',
  ),
}

export const ADMISSION_FLAGS = {
  'admission-control': deprecated(
    unsupported(strings('plugins of admission'), OLD_WAY),
    'Use --enable-admission-plugins or --disable-admission-plugins instead. Will be removed in a future version.',
  ),
  'admission-control-config-file': text('configuration of the plugins'),
  'default-not-ready-toleration-seconds': int('seconds that pods stay on a node that is not ready', 300),
  'default-unreachable-toleration-seconds': int('seconds that pods stay on a node that is unreachable', 300),
  'disable-admission-plugins': strings('plugins that do not run'),
  'enable-admission-plugins': strings('plugins that run beside the default ones'),
}
