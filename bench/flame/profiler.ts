/** V8's own profiler, from inside: a window of a run, without its start. */
import { Session, type Profiler } from 'node:inspector/promises'

/** How often it looks, in microseconds. */
const INTERVAL_US = 200

export function createProfiler() {
  const session = new Session()
  return {
    profile: async (): Promise<void> => {
      session.connect()
      await session.post('Profiler.enable')
      await session.post('Profiler.setSamplingInterval', { interval: INTERVAL_US })
      await session.post('Profiler.start')
    },
    profiled: async (): Promise<Profiler.Profile> => {
      const { profile } = await session.post('Profiler.stop')
      session.disconnect()
      return profile
    },
  }
}
