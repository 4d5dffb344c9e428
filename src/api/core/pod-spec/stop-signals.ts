/** Signals by which a container can ask to be stopped. */

export const WINDOWS_STOP_SIGNALS: readonly string[] = ['SIGKILL', 'SIGTERM']

const NAMED =
  'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP ' +
  'TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX'

/** Real-time signals are counted up from the first and down from the last. */
const REAL_TIME = [
  ...Array.from({ length: 15 }, (_, i) => `RTMIN+${i + 1}`),
  ...Array.from({ length: 14 }, (_, i) => `RTMAX-${i + 1}`),
]

export const LINUX_STOP_SIGNALS: readonly string[] = [...NAMED.split(' '), ...REAL_TIME]
  .map((name) => `SIG${name}`)
  .toSorted()
