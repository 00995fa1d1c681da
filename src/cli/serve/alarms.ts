/** Who hears of alarms besides the log: a webhook, and a monitoring system that asks for numbers. */
import type { Command } from 'commander'
import { createServer, type Server } from 'node:http'
import { ConfigError } from '../../base/faults.ts'
import { readSecretFile } from '../../base/file.ts'
import { messageOf, type Log } from '../../base/log.ts'
import { countAlarms, serveMetrics, type Watched } from '../../gateway/metrics.ts'
import type { AlarmSink } from '../../receiver/alarm.ts'
import { createAlarmWebhook } from '../../receiver/alarm-webhook.ts'
import { option } from './options.ts'

export type AlarmOptions = {
  readonly alarmWebhook?: string
  readonly alarmSecretFile?: string
  readonly metrics?: string
}

export function withAlarmOptions(command: Command): Command {
  return command
    .addOption(option('--alarm-webhook <url>', 'tell this place of alarms, by signed POSTs (https)'))
    .addOption(option('--alarm-secret-file <file>', 'what signs them, in a file that only you can read'))
    .addOption(option('--metrics <host:port>', 'serve /metrics for Prometheus there, to whoever can reach it'))
}

export type Listeners = {
  readonly sinks: readonly AlarmSink[]
  /** Serves the numbers where they are wanted, until `stop`. @throws {ConfigError} if the place cannot be had */
  serve(watched: Watched): Promise<void>
  stop(): Promise<void>
}

/** @param source which program tells. @throws {ConfigError} naming the option that is wrong */
export function alarmListeners(options: AlarmOptions, source: string, log: Log): Listeners {
  const place = options.metrics === undefined ? undefined : placeIn(options.metrics)
  const webhook = webhookOf(options, source, log)
  const counts = countAlarms()
  let server: Server | undefined
  return {
    sinks: [counts.sink, ...(webhook ? [webhook.sink] : [])],
    serve: async (watched) => {
      if (place) server = await listen(createServer(serveMetrics(watched, counts)), place)
    },
    stop: async () => {
      server?.closeAllConnections()
      server?.close()
      await webhook?.stop()
    },
  }
}

function webhookOf({ alarmWebhook: url, alarmSecretFile: file }: AlarmOptions, source: string, log: Log) {
  if (url === undefined && file === undefined) return undefined
  if (url === undefined) throw new ConfigError('--alarm-webhook', 'is needed with --alarm-secret-file')
  if (file === undefined) throw new ConfigError('--alarm-secret-file', 'is needed with --alarm-webhook: what signs')
  try {
    return createAlarmWebhook({ url, secret: readSecretFile(file, '--alarm-secret-file'), source, log })
  } catch (error) {
    if (!(error instanceof ConfigError) || !(error.field in fields)) throw error
    throw new ConfigError(fields[error.field] ?? '', error.message.slice(`${error.field}: `.length))
  }
}

const fields: Readonly<Record<string, string>> = { url: '--alarm-webhook', secret: '--alarm-secret-file' }

type Place = { readonly host: string; readonly port: number }

function placeIn(text: string): Place {
  const [, host, digits] = /^(.+):([0-9]{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (host !== undefined && port <= 65_535) return { host: host.replace(/^\[(.*)\]$/, '$1'), port }
  throw new ConfigError('--metrics', 'needs an address and a port, such as 127.0.0.1:9464')
}

function listen(server: Server, { host, port }: Place): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(new ConfigError('--metrics', `${host}:${port} cannot be had (${messageOf(error)})`)),
    )
    server.listen(port, host, () => resolve(server))
  })
}
