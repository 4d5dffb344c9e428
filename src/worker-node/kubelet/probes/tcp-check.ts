/** Opens a TCP connection and closes it: whoever listens is alive. */
import net from 'node:net'

export function tcpCheck(host: string, port: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port })
    const onAbort = (): void => void socket.destroy(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
    socket.on('error', reject)
    socket.on('connect', () => {
      resolve()
      socket.destroy()
    })
    socket.on('close', () => signal.removeEventListener('abort', onAbort))
  })
}
