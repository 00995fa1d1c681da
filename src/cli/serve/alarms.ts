/** Who hears of alarms besides the log: a webhook, and a monitoring system that asks for numbers. */
import type { Command } from 'commander'
import { createServer, type Server } from 'node:http'
import { ConfigError } from '../../base/faults.ts'
import { readSecretFile } from '../../base/file.ts'
import type { Log } from '../../base/log.ts'
import { countAlarms, serveMetrics, type Watched } from '../../gateway/metrics.ts'
import type { AlarmSink } from '../../receiver/alarm.ts'
import { createAlarmWebhook } from '../../receiver/alarm-webhook.ts'
import { named } from './as-options.ts'
import { hangUp, listen, readListenAt } from './listen.ts'
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
  const place = options.metrics === undefined ? undefined : readListenAt(options.metrics, '--metrics')
  const webhook = webhookOf(options, source, log)
  const counts = countAlarms()
  let server: Server | undefined
  return {
    sinks: [counts.sink, ...(webhook ? [webhook.sink] : [])],
    serve: async (watched) => {
      if (place) server = await listen(createServer(serveMetrics(watched, counts)), place)
    },
    stop: async () => {
      hangUp(server)
      await webhook?.stop()
    },
  }
}

function webhookOf({ alarmWebhook: url, alarmSecretFile: file }: AlarmOptions, source: string, log: Log) {
  if (url === undefined && file === undefined) return undefined
  if (url === undefined) throw new ConfigError('--alarm-webhook', 'is needed with --alarm-secret-file')
  if (file === undefined) throw new ConfigError('--alarm-secret-file', 'is needed with --alarm-webhook: what signs')
  return named({ url: '--alarm-webhook', secret: '--alarm-secret-file' }, () =>
    createAlarmWebhook({ url, secret: readSecretFile(file, '--alarm-secret-file'), source, log }),
  )
}
